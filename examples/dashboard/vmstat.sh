#!/bin/sh
# Prints the names of some numbers about this machine, then the numbers once a
# second: those of vmstat or, where there is none, a few from /proc (Linux).

# With exec, vmstat takes this shell's place: one process, and signals reach it.
if command -v vmstat >/dev/null; then
	exec vmstat -n 1
fi

echo "free us sy id wa"
while read -r _ us ni sy id wa _ </proc/stat; do
	us=$((us + ni))
	while read -r key kib _; do
		[ "$key" = MemFree: ] && free=$kib
	done </proc/meminfo

	# /proc counts since the start of the machine: a second is a difference.
	all=$((us + sy + id + wa))
	if [ -n "$last" ] && [ $((all -= last)) -gt 0 ]; then
		echo "$free $((100 * (us - last_us) / all)) $((100 * (sy - last_sy) / all))" \
			"$((100 * (id - last_id) / all)) $((100 * (wa - last_wa) / all))"
	fi
	last=$((us + sy + id + wa)) last_us=$us last_sy=$sy last_id=$id last_wa=$wa
	sleep 1
done
