// Package bridge connects WebSockets to processes: it is net/http/cgi for
// WebSockets. A [Handler] starts a program for each connection; each text
// message becomes a line on the program's standard input, each line of its
// standard output a message; the two ends live and die together. A [Client]
// is the same the other way round: it dials a WebSocket server and attaches a
// program or its caller's own streams to it.
//
// # The way of a message
//
// A request that asks for an upgrade is checked before anything is started:
// the handshake, the Host, the Origin, the program that the path names
// (Handler.CommandDir), the number of sessions, in all and from one address. If
// it is wanted, the client's name is looked up, for a limited time. Then the
// connection is hijacked and ServeHTTP returns; a session goes on with
// these goroutines, each the sole owner of what it does:
//
//   - run starts the others, waits for the first cause to end, and ends what
//     is left: the child, the WebSocket, the goroutines.
//   - input reads the WebSocket. Messages that arrive together are gathered
//     and written to the child's input together, before input waits for more.
//   - feeder runs only while the child does not read: it writes the backlog
//     that input gives it, so that input can go on reading. Only when the
//     backlog is full does the client have to wait.
//   - output reads the child's output. The lines that one read brings are
//     framed and leave in one write.
//   - stderr logs the child's standard error. It is started when there is
//     some, or the end of it, where the system can tell. When the client gets
//     it too, output reads it with a goroutine of its own, and the two take
//     turns at sending.
//
// All bytes pass a conn, the net.Conn under the WebSocket. The library reads
// frames from it, and writes its control frames to it; data frames are made
// here. A control frame never makes its sender wait: it leaves with the end of
// the write under way, or, when there is none, at once; what the socket does
// not take then (over TLS, nothing can be tried) leaves through a goroutine
// that lives as long as there are such frames. Pings are a timer's.
//
// Other requests go to Handler.Plain, which may have CGI programs answer them
// (Handler.ServeCGI) under the same limits and with the same end.
//
// # The end
//
// The first cause wins: the client closed, the child exited or closed its
// output, the protocol was broken, the peer is dead, the server drains, the
// program has changed (Handler.Restart). Then
// the child is ended (package process has the ladder), what is left of its
// output is delivered if somebody is there to take it (a client that got much
// is asked by a ping how far it has read, because megabytes may lie in the
// buffers between), and the WebSocket is closed with the code for the cause:
// 1000 or 4000+N for exit status N, 4128+S for signal S, else a code of RFC
// 6455, section 7.4.1.
package bridge
