#!/bin/sh
# What the program is told: ENVIRON, here a variable a line.

exec awk 'BEGIN { for (name in ENVIRON) print name "=" ENVIRON[name] | "LC_ALL=C sort" }'
