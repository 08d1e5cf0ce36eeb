package cmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The texts below are read in a terminal and, as Markdown, make the man pages.
// What must stay as it is is indented by four.

const serveLong = `wsbridge starts COMMAND once for each WebSocket connection. Each text message
from the client becomes a line on the command's standard input, each line of
its standard output a message to the client. The two share one life: close the socket
and wsbridge ends the command and everything it started.

Messages: a text message is fed whole, with a newline after it, or not at all
(a message cut off, too long or not UTF-8). A line of output is a message without its
"\n" or "\r\n", however long it is; the last one needs no newline. Output that is
not UTF-8 is repaired with U+FFFD. With --binary, messages are binary and carry
the bytes as they come. Standard error goes to the log, with --passstderr to the
client too: each line of either is a message {"stream":"stderr","data":"the line"}.

With --compress, messages of 512 bytes and more are compressed, each by itself, for
clients that offer it. It costs some 10 microseconds of CPU for a message of 1 KB, but
no memory while a connection is idle.

Most languages buffer stdout when it is not a terminal. Flush after every line
(stdbuf -oL, python -u). The environment describes the request, as with CGI:

    REMOTE_ADDR  REMOTE_PORT  SERVER_NAME  SERVER_PORT  REQUEST_URI
    PATH_INFO  QUERY_STRING  UNIQUE_ID  HTTP_COOKIE and the other headers
    WEBSOCKET_PROTOCOL, the subprotocol chosen of those of --subprotocol

With --dir=DIR there is no COMMAND: the path of the URL names a program below
DIR, and what follows in the path is its PATH_INFO. --cgidir=DIR runs CGI programs
(RFC 3875) for plain requests, --staticdir=DIR serves files; a program is looked
for before a file. Both work without a COMMAND. In all of these directories, dot
files and links that leave the directory get 404, and no file below --cgidir is served
as a file. A file.br, file.zst or file.gz that lies beside a file, and is not older, is
sent to clients that take it.

With --livereload, pages below --staticdir are loaded again when files there change,
and connections end with 1012 when COMMAND's file or a script among its ARGs changes,
or with --dir the program. --spa serves DIR/index.html to browsers at paths that name
no file and have no extension.

How a connection ends, and the close code that the client sees:

    the command exits with 0            1000
    the command exits with N            4000+N   "exit status N"
    a signal S kills the command        4128+S   "signal: killed"
    the server ends (SIGTERM ...)       1001     "server shutting down"
    --timeout, --idletimeout            1001     "session timeout", "idle"
    malformed frame                     1002
    text that is not UTF-8              1007     also one that cannot be decompressed
    message over --maxframesize         1009     "message over N bytes"
    the command cannot be started       1011
    the command changes (--livereload)  1012     "the command has changed"

What a command wrote before it ended still arrives. When the client goes first,
the standard input of the command is closed, 100 ms later its process group gets SIGINT,
250 ms after that SIGTERM, 500 ms after that SIGKILL; --closems adds to each wait.

A client is dead when it answers no ping within two intervals of --pingms and the time
that it needs, at 7 KiB/s, to read what was sent before. While the command's output
waits for the client, it is dead when its system takes nothing for two intervals and 9 s.

Web pages may connect from the same host and port as the server; others need
--origin. A server name that is neither localhost nor an IP address must be given
with --address or --origin. Behind a proxy, --trustproxy tells its clients apart,
for REMOTE_ADDR, the log and --maxperip; name no address there that a client may
have, because it is believed whatever it says.

Sockets that systemd has opened take the place of --port, --address and
--unixsocket; with Type=notify, the server tells systemd when it is ready.

With --ssl, TLS 1.2 or newer, a new certificate is used from the next connection on. If
the new files cannot be loaded, that is logged and the old certificate stays in use.
Without --sslcert the server makes a certificate for localhost, the loopback addresses
and those of --address, and prints its fingerprint.

On SIGTERM, SIGINT or SIGHUP the server closes its connections and exits; a second
signal kills them at once. Exit status: 0 done, 1 failure, 2 usage. With --once the
server exits after its first connection, with the status of the command, or 128+S if
signal S killed it. It refuses other connections, and stops listening unless there are
pages (--staticdir, --cgidir, --devconsole).`

const serveExample = `  wsbridge --port=8080 ./count.sh                     a script as a server
  wsbridge --devconsole ./count.sh                    with a page to try it by hand
  wsbridge --staticdir=./public python3 -u chat.py    with the page that uses it
  wsbridge --staticdir=./public --livereload ./chat.py
  wsbridge --dir=./scripts                            a directory of scripts
  wsbridge --cgidir=./cgi-bin --staticdir=./public    CGI programs and files alone
  wsbridge --address=0.0.0.0 --origin=example.com ./count.sh
  wsbridge --ssl --sslcert=site.pem --sslkey=site.key ./count.sh
  wsbridge -- connect                                 a command called connect
  wsbridge connect ws://127.0.0.1:8080/               talk to it`

const connectLong = `connect talks to a WebSocket server from a terminal or a script: lines of
standard input are sent as messages, messages are printed as lines. After the
end of standard input it goes on printing until the server closes, or until no
message has come for the time of --linger; then it closes with 1000.

With a COMMAND, written after --, the lines that the command prints are sent, and
messages are its input, as if it were served by wsbridge.

The exit status follows the close code:

    1000          0
    4000+N        N, for N up to 255
    another one   1, with the code and the reason on standard error

It is also 1 when no connection could be made, 2 for a mistake in the command
line, and 0 after SIGTERM, SIGINT or SIGHUP. A second signal ends connect at once.`

const connectExample = `  echo hello | wsbridge connect ws://127.0.0.1:8080/
  wsbridge connect --header 'Authorization: Bearer 123' wss://example.com/feed
  wsbridge connect --sslca=authority.pem wss://box.example:8443/
  wsbridge connect ws://127.0.0.1:8080/ -- ./bot.sh`

// setHelp makes --help print the flags of cmd under their headings; commands
// below cmd keep cobra's own help.
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
	fmt.Fprintf(w, "%s - %s\n\nUsage:\n  %s\n", cmd.Name(), cmd.Short, cmd.UseLine())
	fmt.Fprintf(w, "\nExamples:\n%s\n\n%s\n", cmd.Example, cmd.Long)
	for _, g := range groups {
		// Narrower than this the descriptions would be a thin strip.
		fmt.Fprintf(w, "\n%s:\n%s", g.title, g.FlagUsagesWrapped(100))
	}
	fmt.Fprintf(w, "\nCommands of its own (write a program of the same name after --):\n")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(w, "  %-12s %s\n", c.Name(), c.Short)
		}
	}
	fmt.Fprintf(w, "\nSee '%s connect --help' for its flags.\n", cmd.Name())
}
