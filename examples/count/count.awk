#!/bin/sh
# Counts to ten. Not buffered: fflush() after each print.

exec awk 'BEGIN { for (n = 1; n <= 10; n++) { print n; fflush(); system("sleep 0.3") } }'
