// Package cmd is the command line of wsbridge.
package cmd

// Main runs the command line and returns the exit status.
func Main(args []string) int { return 0 }
