// Package bridge connects WebSockets to programs: it is net/http/cgi for
// WebSockets. A [Handler] starts a program for each connection. Each text message
// becomes a line on the program's standard input, each line of its standard output
// becomes a message, and the two share one life. A [Client] is the same the other
// way round: it dials a WebSocket server and attaches a program, or its caller's
// own streams.
//
// # The two ends of a session
//
// The socket never ends the program, and the program never ends the socket. Only
// the session does. So there are three parts:
//
//   - wire.Conn (internal/wire) owns the socket. It reads messages, sends frames,
//     answers pings, finds dead clients and makes the close handshake. It knows
//     no program.
//   - A far end owns what is behind the socket: a job, which is a program, or a
//     Client's own streams. It knows no socket.
//   - The session joins them and decides when both end, and how.
//
// # The way of a message
//
// A request passes an admission (admit.go), from the handshake to its place among
// the Limits, before anything is started. Then the connection is taken over and
// ServeHTTP returns. The session goes on with these goroutines:
//
//   - run starts the others, waits for the first cause to end, and ends the rest.
//   - input receives messages. The inbox gathers those that arrive together, as
//     the codec says that the program reads them, and gives the batch to the feed
//     before input waits for more.
//   - The feeder runs only while the program does not read: it writes the backlog,
//     so that input can go on reading the socket. Only when the backlog is full
//     does the client have to wait.
//   - output reads the program's output. The delivery has the codec cut it into
//     messages, and sends what one read brought in one write.
//   - stderr reports the program's standard error, line by line. Where the system
//     can tell when there is some, it starts only then.
//
// Control frames and pings need no goroutine of their own for long: package wire says
// how they are sent.
//
// # The way through a hub
//
// A program that outlives its connection (Resume), or serves many (Share), has a
// hub (hub.go). The program and each of its clients have a session of their own,
// and the hub stands between: the program's session has it for a link, and each
// client's session has a seat of it for a far end.
//
//   - To clients: the delivery sends its batches to the hub, which appends them to
//     a log (wire.Log). Messages lie there as encoded frames, numbered, once for
//     all. Each seat reads the log at a cursor of its own (wire.Cursor) and sends
//     all that is ready in one write. What the log keeps, and when the program has
//     to wait for room, is its Retention.
//   - To the program: a seat gathers the messages of its client as an input does,
//     and writes the batch to the program's feed, one seat at a time, whole or not
//     at all. The hub counts what was given.
//   - The end of a client's session is a seat that leaves. The hub decides whether
//     the program goes on. The end of the program's session is the end of the log:
//     each seat sends the rest, then closes with the program's code.
//
// A session of its own program has none of this, and pays nothing for it.
//
// # Other requests
//
// Other requests go to Handler.Plain, which may have CGI programs answer them
// (Handler.ServeCGI) under the same limits and with the same end.
//
// # The end
//
// The first cause wins: the client closed, the program exited or closed its output,
// the protocol was broken, the client is dead, the server drains, the program has
// changed (Handler.Restart), nobody wants a hub's program any more. Then the program is ended by the ladder (package
// process), its tail is delivered as long as the client takes it, and the WebSocket
// is closed with the code for the cause: 1000 or 4000+N for exit status N, 4128+S for
// signal S, or a code of RFC 6455, section 7.4.1.
//
// # Glossary
//
//   - link: a session's WebSocket, a wire.Conn, or a hub or tether in its place
//   - hub: stands between a program and links that come and go; each has a seat
//   - tether: stands between a Client and connections that come and go; each has a
//     crossing
//   - far end: what is behind it
//   - batch: messages or frames that go on together, at the cost of one call
//   - giver: the goroutine that gives batches to a feed, which is input
//   - backlog: what a program has been given and has not read
//   - seat: one client's place at a hub, and its session's far end
//   - log: a hub's newest messages, as frames, numbered from 1
//   - cursor: how far one seat has read the log
//   - run: a program of a hub, from its start to its exit
//   - hello: the first message to a client that counts (wsbridge.v1)
//   - cause: why a session ends; the first one counts
//   - ladder: end of input, SIGINT, SIGTERM and SIGKILL, with a wait before each
//   - tail: what the client has not got yet of a program that has ended
//   - drain: the end of all sessions, when the server stops
//   - place: a session's share of the Limits: of programs until its program is
//     gone, of tails until nothing is left
//   - ending: the close code and reason by which a WebSocket was closed
package bridge
