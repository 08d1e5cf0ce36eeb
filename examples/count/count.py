#!/usr/bin/env python3
# Counts to ten. Not buffered: print(...).

import time

for n in range(1, 11):
    print(n, flush=True)
    time.sleep(0.3)
