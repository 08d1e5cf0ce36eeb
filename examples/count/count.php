#!/usr/bin/env php
<?php
// Counts to ten. Not buffered: on the command line, PHP flushes after each echo.

for ($n = 1; $n <= 10; $n++) {
    echo $n, "\n";
    usleep(300000);
}
