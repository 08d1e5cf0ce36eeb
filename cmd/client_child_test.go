package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync"
)

// exchange prints the lines "out 1" to "out N" and expects the lines "in 1" to "in N" at
// the same time. Then it tells what it was given, and waits for the end of its input.
func exchange(stdin io.Reader, n int) int {
	out := bufio.NewWriter(os.Stdout)
	var wg sync.WaitGroup
	var verdict string
	wg.Go(func() {
		lines := bufio.NewScanner(stdin)
		for i := 1; i <= n && verdict == "" && lines.Scan(); i++ {
			if want := fmt.Sprint("in ", i); lines.Text() != want {
				verdict = fmt.Sprintf("got %q for %q", lines.Text(), want)
			}
		}
	})
	wg.Go(func() {
		for i := range n {
			fmt.Fprintln(out, "out", i+1)
			if i%1000 == 999 {
				out.Flush()
			}
		}
		out.Flush()
	})
	wg.Wait()
	if verdict == "" {
		verdict = "all in order"
	}
	fmt.Println(verdict)
	_, _ = io.Copy(io.Discard, stdin)
	return 0
}
