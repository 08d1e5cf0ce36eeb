package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// What client.js does, one function for each case of TestClient.

// lines waits for the messages that the socket has brought.
func (p *clientPage) lines(want ...string) {
	p.Helper()
	p.until(`JSON.stringify(socket.lines) === %s`, quote(string(marshalled(want))))
}

// states waits for the states that were told, of which those that repeat count once.
func (p *clientPage) states(want ...string) {
	p.Helper()
	p.until(`JSON.stringify(socket.states.map(s => s.state).filter((s, i, all) => s !== all[i - 1])) === %s`, quote(string(marshalled(want))))
}

// events waits for the types of the events but for messages and states.
func (p *clientPage) events(want ...string) {
	p.Helper()
	p.until(`JSON.stringify(socket.events.map(e => e.type + (e.code ? ' ' + e.code + ' ' + e.reason + e.wasClean : ''))) === %s`, quote(string(marshalled(want))))
}

func (p *clientPage) run(script string) {
	p.Helper()
	ask[bool](p.tab, "(() => { %s; return true })()", script)
}

func clientStates(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "child", "obey")
	p.run(`make('/path?name=x%20y', 'other'), socket.send('early')`)
	p.lines("early")
	p.states("connecting", "open")
	p.until(`socket.readyState === 1 && socket.protocol === 'wsbridge.v1' && socket.bufferedAmount === 0 && socket.url.endsWith('/path?name=x%%20y')`)
	for range 2 {
		p.way.goDown()
		p.until(`socket.state === 'away' && Date.now() - socket.since < 100_000`)
		p.run(`socket.send('a'), socket.send('größer')`)
		if got := ask[int](p.tab, `socket.bufferedAmount - 9 * (socket.readyState === 1)`); got < 0 {
			t.Errorf("9 bytes are to be sent, but %d", got+9)
		}
		p.until(`socket.states.at(-1).retryAt > 0`)
		p.way.goUp()
		p.run(`window.dispatchEvent(new Event('online'))`) // tries at once
		p.until(`socket.lines.length >= 3 && socket.lines.splice(1).join() === 'a,größer'`)
		p.until(`socket.states.at(-1).state === 'open' && socket.states.at(-1).resumed && socket.states.at(-1).away > 0`)
	}
	p.states("connecting", "open", "away", "open", "away", "open")
	p.run(`socket.close(3000, 'enough')`)
	p.events("open", "close 3000 enoughtrue")
	p.states("connecting", "open", "away", "open", "away", "open", "closed")
	p.run(`socket.send('late'), socket.close()`)
	p.until(`socket.readyState === ResumingSocket.CLOSED && socket.bufferedAmount === 0`)
	if text := p.server.stderr.text(); strings.Contains(text, "received=") || strings.Contains(text, "resume=") {
		t.Errorf("the log tells of the key:\n%s", text)
	}

	// Whoever is away ends it alone.
	p.run(`make('/')`)
	p.states("connecting", "open")
	p.way.goDown()
	p.until(`socket.state === 'away'`)
	p.run(`socket.close()`)
	p.events("open", "error", "close 1006 false")
}

// The end of the program is the end, also if it comes while the page is away.
func clientEndings(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "child", "obey")
	p.run(`make('/'), socket.send('exit 3')`)
	p.events("open", "close 4003 exit status 3true")
	p.run(`make('/'), socket.send('exit 0')`)
	p.events("open", "close 1000 true")
	p.run(`make('/'), socket.send('before')`)
	p.lines("before")
	p.way.goDown()
	p.until(`socket.state === 'away'`)
	p.run(`socket.send('last words'), socket.send('exit 7')`)
	p.way.goUp()
	p.lines("before", "last words")
	p.events("open", "close 4007 exit status 7true")
	p.states("connecting", "open", "away", "open", "closed")
}

// A server that was started anew knows nothing of the session.
func clientForgotten(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "child", "obey")
	for _, line := range []string{"lines 1", "error of which nothing comes back"} {
		p.run(`make('/', [], { key: 'job' }), socket.send(` + quote(line) + `)`)
		p.until(`socket.state === 'open' && socket.bufferedAmount === 0`)
		if line == "lines 1" {
			p.lines("line 1")
		}
		p.server.stop()
		p.until(`socket.state === 'away'`)
		p.server.restart()
		p.run(`window.dispatchEvent(new Event('online'))`)
		p.until(`socket.state === 'closed'`)
		p.until(`socket.events.at(-1).code === 4404 && socket.events.at(-1).reason === 'no such session' && sessionStorage.length === 0`)
	}
}

// A page that is loaded again continues behind the last message that it has had, and
// sends what the server has not got.
func clientReload(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "child", "obey")
	const again = `make('/', [], { key: 'job' })`
	p.run(again + `, socket.send('lines 3')`)
	p.lines("line 1", "line 2", "line 3")
	p.way.goDown()
	p.until(`socket.state === 'away'`)
	p.run(`socket.send('kept'), socket.send(new Uint8Array([97, 98]))`)
	p.load()
	p.run(again + `, socket.send('and this')`)
	p.until(`socket.state === 'connecting' && socket.bufferedAmount === 21`)
	p.way.goUp()
	p.lines("kept", "ab", "and this")
	p.load()
	p.run(again + `, socket.send('once more')`)
	p.lines("once more")
	// What does not fit is told, and nothing is lost by it.
	p.run(`try { socket.send('x'.repeat(20 << 20)) } catch (problem) { window.problem = problem.name }`)
	p.until(`problem === 'QuotaExceededError'`)
	p.run(`socket.send('goes on')`)
	p.lines("once more", "goes on")
	// Another name is another session, and so is a name that has ended.
	p.run(`window.first = socket, make('/', [], { key: 'other' }), socket.send('mine')`)
	p.lines("mine")
	p.run(`first.close(), socket.close()`)
	p.until(`sessionStorage.length === 0 && first.readyState === 3 && socket.readyState === 3`)
	if n := strings.Count(p.server.stderr.text(), "msg=open"); n != 2 {
		t.Errorf("%d programs, want 2", n)
	}
}

func clientBytes(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "--binary", "child", "raw", "1000000")
	p.run(`make('/'), window.got = [];
		socket.onmessage = async ({ data }) => got.push(...new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data));
		const bytes = new Uint8Array([1, 2, 3, 250]);
		socket.send(bytes.subarray(1, 3)), socket.send(bytes.buffer), socket.send(new Blob(['ab'])), bytes.fill(9)`)
	p.until(`got.join() === '2,3,1,2,3,250,97,98' && socket.binaryType === 'blob'`)
	p.way.goDown()
	p.run(`got.length = 0, socket.binaryType = 'arraybuffer', socket.send(new Uint8Array([5]))`)
	p.until(`socket.state === 'away'`)
	p.way.goUp()
	p.until(`got.join() === '5'`)
}

// What is kept is bounded: the server is asked what it has, by another connection.
func clientRenewal(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--resume=5m", "child", "obey")
	p.run(`make('/'), window.sent = 0;
		(function send() {
			for (; sent < 60 && socket.bufferedAmount < 1 << 18; sent++) socket.send(sent + 'x'.repeat(1 << 16));
			if (sent < 60) setTimeout(send, 1);
		})()`)
	p.until(`socket.lines.length === 60 && socket.lines.every((line, i) => line === i + 'x'.repeat(1 << 16))`)
	p.states("connecting", "open")
	if n := strings.Count(p.server.stderr.text(), "msg=attach"); n < 2 || n > 8 {
		t.Errorf("%d connections for 4 MiB", n)
	}
}

func clientShared(t *testing.T, browser context.Context) {
	p := openClient(t, browser, "--share", "--keep=1m", "--replay=1", "child", "obey")
	p.run(`make('/'), socket.send('early')`)
	p.lines("early")
	p.run(`window.first = socket, make('/'), socket.send('hello')`)
	p.lines("early", "hello") // replayed, and its own
	p.until(`first.lines.join() === 'early,hello'`)
	p.way.goDown()
	p.until(`socket.state === 'away' && first.state === 'away'`)
	p.run(`socket.send('while away')`)
	p.way.goUp()
	p.lines("early", "hello", "while away")
	p.until(`first.lines.join() === 'early,hello,while away' && first.states.at(-1).resumed`)
	// Another run is told as such.
	p.server.stop()
	p.until(`socket.state === 'away' && first.state === 'away'`)
	p.run(`first.close(), socket.send('to the new one')`)
	p.server.restart()
	p.run(`window.dispatchEvent(new Event('online'))`)
	p.lines("early", "hello", "while away", "to the new one")
	p.until(`socket.states.at(-1).resumed === false`)
}

// marshalled are texts as JSON.stringify writes them.
func marshalled(texts []string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	must(e.Encode(append([]string{}, texts...)))
	return bytes.TrimSpace(b.Bytes())
}
