#!/usr/bin/env lua
-- Counts to ten. Not buffered: print flushes each line (io.write would not).

for n = 1, 10 do
	print(n)
	os.execute("sleep 0.3") -- Lua has no sleep of its own
end
