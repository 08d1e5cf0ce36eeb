#!/usr/bin/env python3
# A chat room in a file that all sessions share: chat.py FILE. A visitor's first
# line is a name, the others are what that visitor says. Out goes JSON: an id of
# the session's own, then [time in ms, id, name, text] for each line of the room.
import fcntl, json, os, secrets, select, sys, time

room, me, name, heard, last = sys.argv[1], secrets.token_hex(4), "", b"", 0
print(json.dumps(me))
while True:
    *line, heard = heard.split(b"\n", 1)
    text = " ".join(b"".join(line).decode(errors="replace").split())[: 1000 if name else 32]
    with open(room, "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        file.seek(0)
        said = [json.loads(line) for line in file]
        if name and text:
            said.append([max([time.time_ns() // 10**6] + [line[0] + 1 for line in said]), me, name, text])
            if full := len(said) > 400:
                file.truncate(0)
            file.writelines(json.dumps(line) + "\n" for line in said[-200 if full else -1:])
    for line in [line for line in said if line[0] > last][0 if last else -50:]:
        last = line[0]
        print(json.dumps(line))
    name = name or text
    sys.stdout.flush()
    if b"\n" in heard:
        time.sleep(0.1)  # nobody says more than ten lines a second
    elif select.select([0], [], [], 0.2)[0]:
        heard += os.read(0, 65536) or sys.exit()
