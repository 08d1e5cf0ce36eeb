package cmd

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp/kb"
)

// BenchmarkConsole tells how many frames a second a browser without a screen
// draws of the console while messages come at this rate; 60 is all there is.
//
//	go test ./cmd -run '^$' -bench Console
//
// An operation is three seconds of a flood of short JSON messages.
func BenchmarkConsole(b *testing.B) {
	browser := startBrowser(b)
	for _, rate := range []int{1_000, 10_000, 20_000, 25_000, 30_000, 40_000, 60_000, 80_000} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			s := serveConsole(b, "child", "obey")
			p := openConsole(b, browser, s.page)
			// Else the browser tells chromedp, too, of each message.
			call(p, network.Disable, cdp.Empty{})
			p.click("#toggle")
			p.sentence("Connected")
			p.write("#line", fmt.Sprintf("flood %d %d", rate, 3600))
			p.press(kb.Enter)
			// The first seconds are those of the compiler.
			p.until(`parseInt(document.querySelector('#received').textContent.replaceAll(',', '')) > %d`, 3*rate)
			var frames, messages, longest, ms float64
			for b.Loop() {
				got := ask[struct{ Frames, Messages, Longest, Ms float64 }](p, `new Promise(done => {
					const received = () => parseInt(document.querySelector('#received').textContent.replaceAll(',', ''));
					let begin, last, before, frames = 0, longest = 0;
					requestAnimationFrame(function frame(now) {
						if (begin === undefined) [begin, before] = [now, received()];
						else frames++, longest = Math.max(longest, now - last);
						last = now;
						if (now < begin + 3000) requestAnimationFrame(frame);
						else done({ frames, messages: received() - before, longest, ms: now - begin });
					});
				})`)
				frames, messages, ms, longest = frames+got.Frames, messages+got.Messages, ms+got.Ms, max(longest, got.Longest)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(1000*frames/ms, "frames/s")
			b.ReportMetric(1000*messages/ms, "messages/s")
			b.ReportMetric(longest, "ms-longest")
		})
	}
}
