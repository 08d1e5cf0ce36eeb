#!/bin/sh
# Not buffered: the shell writes what printf prints at once.

while IFS= read -r name; do
	printf 'Hello, %s!\n' "$name"
done
