#!/usr/bin/env tclsh
# Not buffered: -buffering line flushes at the end of each line.

# Messages are UTF-8, whatever the locale of the server says.
fconfigure stdin -encoding utf-8
fconfigure stdout -encoding utf-8 -buffering line
while {[gets stdin name] >= 0} {
	puts "Hello, $name!"
}
