package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// What --help prints is to be read at one glance: the usage, examples and flags. The
// texts called Long are for the manual pages only, and in Markdown (see man_test.go).

const serveLong = `**wsbridge** starts COMMAND once for each WebSocket connection. Each text message
from the client becomes a line on the command's standard input, each line of its
standard output a message to the client. The two share one life: close the socket and
wsbridge ends the command and everything it started; when the command exits, the
client gets a close frame that says how.

A command that holds back its output is the most common problem. Most languages buffer
standard output when it is not a terminal: flush after every line (**python3 -u**,
**stdbuf -oL**). **wsbridge-recipes**(7) says how for each tool.

Whoever may connect can run the command. wsbridge listens on the loopback interface,
lets in browsers only from its own pages, and has no login: **wsbridge-deploy**(7).

How a connection ends, and the close code that the client sees:

~~~
1000      the command exited with status 0
4000+N    it exited with status N        "exit status N"
4128+S    signal S killed it             "signal: killed"
1001      the server is shutting down, or --timeout or --idletimeout is over
1002      a malformed frame
1003      a text message (--framing=channels)
1007      text that is not UTF-8, or cannot be decompressed
1009      a message over --maxframesize
1011      the command cannot be started
1012      the command has changed (--livereload)
1013      too slow a client of --share
4404      no such session to come back to (--resume)
4409      another connection came with the same key (--resume)
4410      the message asked for is not kept (--resume, --share)
~~~

What a command wrote before it ended still arrives. The command's environment describes
the request, as with CGI. **wsbridge-protocol**(7) has the details.

On SIGTERM, SIGINT or SIGHUP the server closes its connections and exits; a second
signal kills them at once. Flags end where the command begins: everything after it
belongs to the command.

## Exit status

0
: success, also after a signal

1
: a failure, such as a port that is taken

2
: a mistake in the command line

With **--once** it is the status of the command, or 128+S if signal S killed it, also when
the client went first. It is 1 if the command could not be started, and 0 after SIGTERM.`

// manSeeAlso are the pages that have more to say about the server.
const manSeeAlso = `**wsbridge-connect**(1), **wsbridge-protocol**(7), **wsbridge-pages**(7), **wsbridge-deploy**(7),
**wsbridge-recipes**(7), **wsbridge-websocketd**(7)`

const serveExample = `  wsbridge ./count.sh                               a script as a server
  wsbridge --devconsole ./count.sh                  a page to try it
  wsbridge --staticdir=./public ./count.sh          a page of your own
  wsbridge --staticdir=./public --livereload python3 -u chat.py
  wsbridge --dir=./scripts                          all its scripts
  wsbridge --cgidir=./cgi-bin --staticdir=./public  no WebSocket
  wsbridge --resume=2m ./job.sh                     survives a lost connection
  wsbridge --share --replay=60 vmstat 1             one program for all clients
  wsbridge --address=0.0.0.0 --origin=example.com ./count.sh
  wsbridge --ssl --sslcert=site.pem --sslkey=site.key ./count.sh
  wsbridge -- connect                               a command named connect
  wsbridge connect ws://127.0.0.1:8080/             a client`

const connectLong = `**wsbridge connect** talks to a WebSocket server from a terminal or a script. Lines of
standard input are sent as messages, messages are printed as lines. After the
end of standard input it goes on printing until the server closes, or until no
message has come for the time of **--linger**; then it closes with 1000. If nothing has
come since the last message was sent, it first waits for an answer, for the time of
**--timeout**. **--linger=0** is for a server that does not answer, or only at the end of the input as
**sort** does; **--linger=forever** is for a feed.

A message of any length is printed as it comes, in bounded memory.

URL is **ws://** or **wss://**, or **ws+unix:///run/app.sock:/path** for a unix socket.
HTTP_PROXY (for ws), HTTPS_PROXY (for wss) and NO_PROXY name a proxy, which may need
a user and a password: **http://user:password@proxy:3128**, **https://** or **socks5://**.

With a COMMAND, written after **--**, the lines that the command prints are sent, and
messages are its input, as if it were served by wsbridge.

On a terminal the line being typed is edited as in a shell, with the history of this run, and
stays below the messages that come. Ctrl-D ends the input, Ctrl-C ends connect. Messages show
colours, unlike other control characters, which are shown as **^[**. In a pipe, messages are
printed as they are. NO_COLOR, if it is set, takes the dimness from wsbridge's own remarks.

With **--pty**, connect is a terminal of a program at a wsbridge with **--pty --framing=channels**,
as ssh is: each key is sent as it is typed, and Ctrl-] leaves. On Windows a change of the
terminal's size is noticed within half a second.

With **--resume**, connect comes back by itself when the connection is lost, to the same
session of a wsbridge with **--resume**, and each message arrives exactly once, in both
directions. With **--reconnect** it connects again to any server, to a new session each time.
It tries at once, then after 1 s, doubled up to 30 s. The first connection is tried once.

## Exit status

The exit status follows the close code.

0
: the server closed with 1000 or without a code, or connect was ended by SIGTERM, SIGINT, SIGHUP
or Ctrl-]

N
: the server closed with 4000+N, for N up to 255

1
: the server closed with another code, which is printed on standard error with its
reason; or there was no connection, or no answer within **--timeout**

2
: a mistake in the command line

A second signal ends connect at once.`

const connectExample = `  echo hello | wsbridge connect ws://127.0.0.1:8080/
  wsbridge connect --header 'X-Token: 123' wss://example.com/feed | jq .
  wsbridge connect --sslca=authority.pem wss://box.example:8443/
  wsbridge connect ws+unix:///run/app.sock:/path
  wsbridge connect ws://127.0.0.1:8080/ -- ./bot.sh
  wsbridge connect --pty ws://127.0.0.1:8080/
  wsbridge connect --resume ws://127.0.0.1:8080/ < orders.txt > answers.txt`

// setHelp makes --help print the flags of cmd under their headings; commands
// below cmd keep their own help.
func setHelp(cmd *cobra.Command, groups []flagGroup) {
	byDefault := cmd.HelpFunc()
	cmd.SetHelpFunc(func(c *cobra.Command, args []string) {
		if c != cmd {
			byDefault(c, args)
			return
		}
		printHelp(c.OutOrStdout(), c, groups)
	})
}

func printHelp(w io.Writer, cmd *cobra.Command, groups []flagGroup) {
	fmt.Fprintf(w, "%s - %s\n\nUsage:\n  %s\n", cmd.CommandPath(), cmd.Short, cmd.UseLine())
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(w, "  %s\n", c.UseLine())
		}
	}
	fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	for _, g := range groups {
		// Narrower than this the descriptions would be a thin strip.
		fmt.Fprintf(w, "\n%s:\n%s", g.title, g.FlagUsagesWrapped(100))
	}
	page := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(w, "\nMore: man %s, https://github.com/wsbridge/wsbridge\n", page)
}
