#!/usr/bin/env php
<?php
// What the program is told: getenv(), here a variable a line.

$vars = getenv();
ksort($vars);
foreach ($vars as $name => $value) {
    echo "$name=$value\n";
}
