#!/usr/bin/env tclsh
# What the program is told: the array env, here a variable a line.

foreach name [lsort [array names env]] {
	puts "$name=$env($name)"
}
