#!/usr/bin/env node
// Not buffered: console.log writes each line to a pipe at once.

const readline = require('node:readline');

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', name => console.log(`Hello, ${name}!`));
