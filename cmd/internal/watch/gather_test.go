package watch

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGather(t *testing.T) {
	const quiet, most = 100 * time.Millisecond, 2 * time.Second
	type step struct {
		wait time.Duration
		name string
	}
	var endless []step
	for range 60 {
		endless = append(endless, step{70 * time.Millisecond, "log"})
	}
	for _, test := range []struct {
		name  string
		steps []step
		want  string // each burst with its time
	}{
		{"nothing", nil, ""},
		{"one", []step{{time.Second, "a"}}, "1.1s [a]"},
		{"a burst", []step{{0, "a"}, {99 * time.Millisecond, "b"}, {99 * time.Millisecond, "a"}, {0, "c"}}, "298ms [a b c]"},
		{"two", []step{{0, "a"}, {101 * time.Millisecond, "a"}}, "100ms [a] 201ms [a]"},
		{"without end", endless, "2.07s [log] 4.1s [log] 4.3s [log]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				in := make(chan string)
				started := time.Now()
				var got []string
				done := begin(func() {
					gather(in, quiet, most, func(names []string) { got = append(got, fmt.Sprint(time.Since(started), " ", names)) })
				})
				for _, s := range test.steps {
					time.Sleep(s.wait)
					in <- s.name
				}
				time.Sleep(quiet)
				synctest.Wait()
				close(in)
				<-done
				if got := strings.Join(got, " "); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			})
		})
	}
}
