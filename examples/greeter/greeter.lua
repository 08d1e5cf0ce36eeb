#!/usr/bin/env lua
-- Not buffered: print flushes each line (io.write would not).

for name in io.lines() do
	print("Hello, " .. name .. "!")
end
