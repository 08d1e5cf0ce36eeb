#!/usr/bin/env python3
# Not buffered: print(..., flush=True). (Or for all of a program: python3 -u.)

import sys

for line in sys.stdin:
    name = line.rstrip("\n")
    print(f"Hello, {name}!", flush=True)
