#!/bin/sh
# A job of ten minutes, or of as many seconds as its argument says. It prints what
# is done and what there is to do: "1 600", "2 600" and so on.
total=${1:-600}
done=0
while [ "$done" -lt "$total" ]; do
	sleep 1
	done=$((done + 1))
	echo "$done $total"
done
