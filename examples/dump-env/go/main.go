// What the program gets to know: os.Getenv(NAME), or all of os.Environ(), here
// sorted and a variable a line.
//
//	go build -o /tmp/dump-env ./examples/dump-env/go
package main

import (
	"fmt"
	"os"
	"slices"
)

func main() {
	for _, pair := range slices.Sorted(slices.Values(os.Environ())) {
		fmt.Println(pair)
	}
}
