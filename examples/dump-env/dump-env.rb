#!/usr/bin/env ruby
# What the program is told: ENV, here a variable a line.

ENV.sort.each { |name, value| puts "#{name}=#{value}" }
