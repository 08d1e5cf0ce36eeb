package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is the program that the scripts serve; args[0] says what it does.
func child(args []string) int {
	switch args[0] {
	case "echo": // each line as it comes, or N lines
		lines := bufio.NewScanner(os.Stdin)
		lines.Buffer(nil, 16<<20)
		for n := number(args); n != 0 && lines.Scan(); n-- {
			fmt.Println(lines.Text())
		}
	case "raw": // N bytes as they come
		if _, err := io.CopyN(os.Stdout, os.Stdin, int64(number(args))); err != nil {
			return 1
		}
	case "long": // a line of N bytes
		fmt.Println(strings.Repeat("x", number(args)))
	case "args": // its arguments, one a line
		for _, arg := range args[1:] {
			fmt.Println(arg)
		}
	case "env": // the variables named, or the names of all
		if len(args) > 1 {
			for _, name := range args[1:] {
				value, ok := os.LookupEnv(name)
				fmt.Printf("%s=%s %t\n", name, value, ok)
			}
			break
		}
		names := os.Environ()
		slices.Sort(names)
		for _, pair := range names {
			name, _, _ := strings.Cut(pair, "=")
			fmt.Println(name)
		}
	case "environ": // its environment, quoted
		for _, pair := range os.Environ() {
			fmt.Printf("%q\n", pair)
		}
		// Not os.Exit, where the race detector waits for a second unless the
		// environment says otherwise.
		syscall.Exit(0)
	case "ask": // one question, whose answer goes to standard error
		fmt.Println("how are you?")
		answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil {
			return 1
		}
		fmt.Fprint(os.Stderr, "answer: ", answer)
	case "stubborn": // stays, whoever asks it to go
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, "stubborn from now on")
		time.Sleep(10 * time.Minute) // not for ever, should a test be killed
	case "obey": // what its input says
		return obey(os.Stdin)
	case "exchange": // N numbered lines in both directions
		return exchange(os.Stdin, number(args))
	case "weather": // something to see; its seconds are N times as fast
		return weather(os.Stdin, number(args))
	case "lines": // N numbered ones after the first line in, then exit status 5
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return 1
		}
		out := bufio.NewWriter(os.Stdout)
		for i := range number(args) {
			fmt.Fprintln(out, "line", i)
		}
		if out.Flush() != nil {
			return 1
		}
		return 5
	case "exit": // N, after a line of output and one of errors
		fmt.Println("last words")
		fmt.Fprintln(os.Stderr, "complaint")
		return number(args)
	}
	return 0
}

// number is args[1], or without it a negative number.
func number(args []string) int {
	if len(args) < 2 {
		return -1
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		panic(err)
	}
	return n
}
