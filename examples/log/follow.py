#!/usr/bin/env python3
# Follows a log: follow.py FILE. Each line from the visitor is a text, and out
# go the last lines of the log and those to come that have it in them: first
# the text itself, after a "?", then each line after a "|". The text is compared
# here and not given to a shell or to grep: there, it could be more than a text.
import collections, os, select, subprocess, sys

sys.stdout.reconfigure(encoding="utf-8")
tail = subprocess.Popen(["tail", "-n", "1000", "-F", "--", sys.argv[1]], stdout=subprocess.PIPE)
visitor, log = sys.stdin.fileno(), tail.stdout.fileno()
rest = {visitor: b"", log: b""}  # lines whose end is still to come
kept, wanted = collections.deque(maxlen=1000), None

while True:
    for source in select.select([visitor, log], [], [])[0]:
        got = os.read(source, 65536)
        if not got:  # the visitor has left, or tail has failed
            tail.kill()
            sys.exit("tail has ended" if source == log else 0)
        *lines, rest[source] = (rest[source][:65536] + got).split(b"\n")
        lines = [line[:65536].decode(errors="replace") for line in lines]
        if source == log:
            kept.extend(lines)
        elif lines:
            wanted, lines = lines[-1].casefold(), kept
            print("?" + wanted)
        if wanted is not None:
            print(end="".join(f"|{line}\n" for line in lines if wanted in line.casefold()))
        sys.stdout.flush()
