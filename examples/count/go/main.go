// Counts to ten. Not buffered: fmt.Println writes to os.Stdout at once.
//
//	go build -o /tmp/count ./examples/count/go
package main

import (
	"fmt"
	"time"
)

func main() {
	for n := range 10 {
		fmt.Println(n + 1)
		time.Sleep(300 * time.Millisecond)
	}
}
