package bridge

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// soakChild is what runs for all of these. It tells on stderr of what it
// should not have read.
func soakChild(args []string) {
	if len(args) > 0 { // what an orphan is
		time.Sleep(time.Hour)
	}
	query, _ := url.ParseQuery(os.Getenv("QUERY_STRING"))
	seed, _ := strconv.ParseUint(query.Get("seed"), 10, 64)
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	var buf []byte
	// check tells whether a line is message i.
	check := func(i uint64, line []byte) {
		buf = append(appendSoakMessage(buf[:0], seed, i), '\n')
		if !bytes.Equal(line, buf) {
			fmt.Fprintf(os.Stderr, "read %d bytes %.40q in place of message %d\n", len(line), line, i)
			os.Exit(1)
		}
	}
	switch query.Get("do") {
	case "copy":
		io.Copy(os.Stdout, os.Stdin)
	case "echo":
		for i := uint64(0); ; i++ {
			line, err := readLine(in)
			if err != nil {
				if len(line) > 0 && query.Has("whole") {
					check(i, line)
				}
				break
			}
			check(i, line)
			out.Write(line)
			if in.Buffered() == 0 {
				out.Flush()
			}
		}
	case "slow":
		pace := 0
		for i := uint64(0); ; i++ {
			line, err := readLine(in)
			if err != nil {
				break
			}
			if string(line) == "end\n" {
				fmt.Fprintln(out, i)
				out.Flush()
				continue
			}
			check(i, line)
			if pace += len(line); pace > 16<<10 {
				time.Sleep(10 * time.Millisecond)
				pace = 0
			}
		}
	case "stream":
		if query.Has("wait") {
			line, _ := readLine(in)
			check(0, line)
		}
		if query.Has("orphan") {
			c := exec.Command(os.Args[0], "soak", "orphan")
			if query.Get("orphan") == "1" {
				c.Stdout = os.Stdout
			}
			if err := c.Start(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		n, _ := strconv.ParseUint(query.Get("n"), 10, 64)
		for i := range n {
			buf = append(appendSoakMessage(buf[:0], seed, i), '\n')
			out.Write(buf)
		}
		out.Flush()
		if query.Has("signal") {
			children["suicide"]([]string{query.Get("signal")})
		}
		os.Exit(number(query.Get("status")))
	}
	out.Flush()
}

// readLine is ReadSlice for lines of any length.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	head := bytes.Clone(line)
	line, err = r.ReadBytes('\n')
	return append(head, line...), err
}
