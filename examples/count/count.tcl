#!/usr/bin/env tclsh
# Counts to ten. Not buffered: -buffering line flushes at the end of each line.

fconfigure stdout -buffering line
for {set n 1} {$n <= 10} {incr n} {
	puts $n
	after 300
}
