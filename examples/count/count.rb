#!/usr/bin/env ruby
# Counts to ten. Not buffered: $stdout.sync = true flushes after each puts.

$stdout.sync = true
(1..10).each do |n|
  puts n
  sleep 0.3
end
