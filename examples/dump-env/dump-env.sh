#!/bin/sh
# What the program is told: its environment, a variable a line.

env | LC_ALL=C sort
