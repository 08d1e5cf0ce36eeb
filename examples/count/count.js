#!/usr/bin/env node
// Counts to ten. Not buffered: console.log writes each line to a pipe at once.

let n = 0;
const timer = setInterval(() => {
	console.log(++n);
	if (n === 10) clearInterval(timer);
}, 300);
