#!/usr/bin/env lua
-- What the program is told: os.getenv(NAME). Here it asks env for all the
-- names, which Lua does not know.

for line in io.popen("env | LC_ALL=C sort"):lines() do
	print(line)
end
