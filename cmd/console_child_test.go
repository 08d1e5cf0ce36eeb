package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// obey is a program to try the console with: it echoes lines, except
//
//	exit N        ends with status N
//	kill          kills itself
//	error TEXT    writes TEXT as a line of standard error
//	lines N       prints N numbered lines
//	flood N S     prints N lines a second for S seconds
func obey(stdin io.Reader) int {
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, 1<<20)
	for ; lines.Scan(); out.Flush() {
		var numbers []int
		order, text, _ := strings.Cut(lines.Text(), " ")
		for word := range strings.FieldsSeq(text) {
			n, _ := strconv.Atoi(word)
			numbers = append(numbers, n)
		}
		switch order {
		case "exit":
			return numbers[0]
		case "kill":
			self, err := os.FindProcess(os.Getpid())
			must(err)
			must(self.Kill())
			select {}
		case "error":
			fmt.Fprintln(os.Stderr, text)
		case "lines":
			for n := range numbers[0] {
				fmt.Fprintf(out, "line %d\n", n+1)
			}
		case "flood":
			flood(out, numbers[0], time.Duration(numbers[1])*time.Second)
		default:
			fmt.Fprintln(out, lines.Text())
		}
	}
	return 0
}

// flood prints rate lines a second, evenly in steps of a millisecond or two.
func flood(out *bufio.Writer, rate int, d time.Duration) {
	for begin, n := time.Now(), 0; ; time.Sleep(time.Millisecond) {
		passed := min(time.Since(begin), d)
		for due := int(passed.Seconds() * float64(rate)); n < due; n++ {
			fmt.Fprintf(out, `{"n":%d,"sensor":"roof","celsius":%d.%d}`+"\n", n, n%40, n%10)
		}
		out.Flush()
		if passed == d {
			return
		}
	}
}
