#!/usr/bin/env perl
# What the program is told: %ENV, here a variable a line.

use strict;
use warnings;

print "$_=$ENV{$_}\n" for sort keys %ENV;
