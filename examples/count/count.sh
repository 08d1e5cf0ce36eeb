#!/usr/bin/env bash
# Counts to ten: each line that echo writes becomes a message.

for n in {1..10}; do
	echo "$n"
	sleep 0.3
done

# The query of the page's address comes as in CGI. An exit status N that is
# not 0 reaches the client as close code 4000+N: try /?exit=3
if [[ $QUERY_STRING =~ ^exit=([0-9]+)$ ]]; then
	exit "${BASH_REMATCH[1]}"
fi
