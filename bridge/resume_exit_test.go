package bridge

import "testing"

// Rule 9: the rest of the output and the close code are kept until a client has
// answered the close frame.
func TestResumeAfterExit(t *testing.T) {
	h := resumable("lines", "1000", "20")
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	c.write(text("go"))
	for range 10 {
		c.message()
	}
	c.SetLinger(0)
	c.Close()
	events.wait(aDetachment)
	for try := range 3 {
		c = resume(t, srv, received(testKey, 10), true)
		if try < 2 { // the close frame comes, and is not answered
			for f := c.next(); f.op != opClose; f = c.next() {
			}
			c.SetLinger(0)
			c.Close()
			events.waitFor(try+2, aDetachment)
			continue
		}
		messages, end := c.closed()
		if len(messages) != 990 || end != (Ending{4005, "exit status 5"}) {
			t.Errorf("%d messages, %v", len(messages), end)
		}
	}
	events.wait(an[Closed](func(e Closed) bool { return e.Ending.Code == 4005 }))
	resume(t, srv, received(testKey, 1000), false).wantClose(errNoSession)
}
