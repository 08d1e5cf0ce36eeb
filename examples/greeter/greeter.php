#!/usr/bin/env php
<?php
// Not buffered: on the command line, PHP flushes after each echo.

while (($name = fgets(STDIN)) !== false) {
    echo 'Hello, ', rtrim($name, "\n"), "!\n";
}
