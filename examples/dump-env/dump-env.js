#!/usr/bin/env node
// What the program is told: process.env, here a variable a line.

for (const name of Object.keys(process.env).sort()) {
	console.log(`${name}=${process.env[name]}`);
}
