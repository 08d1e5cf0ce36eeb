// Wsbridge turns any program that reads lines and writes lines into a
// WebSocket server. See package cmd for the command line and package bridge
// for the way of a message.
package main

import (
	"os"

	"github.com/wsbridge/wsbridge/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:])) }
