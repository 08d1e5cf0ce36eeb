#!/bin/sh
# The other direction: publish.sh PORT. What a client sends goes to the broker, a
# message a line.
exec wsbridge --port="$1" mosquitto_pub -p "${BROKER:-1883}" -t news -l
