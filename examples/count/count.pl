#!/usr/bin/env perl
# Counts to ten. Not buffered: $| = 1 flushes after each print.

use strict;
use warnings;
use Time::HiRes qw(sleep);

$| = 1;
for my $n (1 .. 10) {
    print "$n\n";
    sleep 0.3;
}
