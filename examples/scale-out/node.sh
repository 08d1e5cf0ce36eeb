#!/bin/sh
# A node: node.sh PORT. All of its clients share one subscriber of the broker.
exec wsbridge --port="$1" --trustproxy=127.0.0.1 --maxperip=0 \
	--share --keep=forever --restart --replay=10000 --sharebuffer=4MiB \
	mosquitto_sub -p "${BROKER:-1883}" -t news
