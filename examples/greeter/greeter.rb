#!/usr/bin/env ruby
# Not buffered: $stdout.sync = true flushes after each puts.

$stdout.sync = true
while name = $stdin.gets
  puts "Hello, #{name.chomp}!"
end
