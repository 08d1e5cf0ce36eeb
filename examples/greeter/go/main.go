// Not buffered: fmt.Printf writes to os.Stdout at once.
//
//	go build -o /tmp/greeter ./examples/greeter/go
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	// A Scanner gives up on a line of 64 KiB; a message may have 1 MiB.
	lines.Buffer(nil, 1<<20+1)
	for lines.Scan() {
		fmt.Printf("Hello, %s!\n", lines.Text())
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
