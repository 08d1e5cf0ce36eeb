#!/usr/bin/env python3
# What the program is told: os.environ, here a variable a line.

import os

for name, value in sorted(os.environ.items()):
    print(f"{name}={value}")
