#!/usr/bin/env python3
# A chat room: one program for all visitors, who send [id, name, text] as JSON, with
# an id of their page's own. Each gets [time in ms, id, name, text] for every line.
# From a shell, what is no JSON is a text of nobody's.
import json, sys, time

last = 0
for line in sys.stdin.buffer:
    line = line.decode(errors="replace").strip()
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, list) or len(said) != 3:
        said = ["", "nobody", line]
    page, name, text = (" ".join(str(part).split()) for part in said)
    if name and text:
        last = max(last + 1, time.time_ns() // 10**6)
        print(json.dumps([last, page[:64], name[:32], text[:1000]]), flush=True)
