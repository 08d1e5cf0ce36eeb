#!/usr/bin/env perl
# Not buffered: $| = 1 flushes after each print.

use strict;
use warnings;

$| = 1;
while (my $name = <STDIN>) {
    chomp $name;
    print "Hello, $name!\n";
}
