package cmd

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// consoleColours shows what a program writes for a terminal.
func consoleColours(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.choose("#theme", "dark")
	for _, test := range []struct{ line, text, spans string }{
		{"\x1b[31mred\x1b[0m plain", "red plain", "red color=31 31"},
		{"\x1b[1;4;92mloud\x1b[m.", "loud.", "loud color=92 92 bold underline"},
		{"\x1b[4mone\x1b[1mtwo\x1b[24mthree\x1b[22mfour", "onetwothreefour", "one underline|two bold underline|three bold"},
		{"\x1b[38;5;208ma\x1b[38;5;255mb\x1b[39mc", "abc", "a color=rgb(255, 135, 0)|b color=rgb(238, 238, 238)"},
		{"\x1b[38;2;250;200;1md\x1b[38:2::1:250:200me\x1b[38:2:1:250:200mf", "def", "d color=rgb(250, 200, 1)|e color=rgb(1, 250, 200)|f color=rgb(1, 250, 200)"},
		{"\x1b[48;2;10;20;30;97ma", "a", "a color=rgb(255, 255, 255) background=rgb(10, 20, 30)"},
		{"\x1b[7mback\x1b[27m\x1b[3mslanted\x1b[23;9mgone\x1b[29;58;5;9m!", "backslantedgone!", "back color=rgb(33, 50, 74) background=rgb(232, 232, 229)|slanted italic|gone strike"},
		// The rest is left out, also what is malformed or cut off.
		{"\x1b]0;title\x07\x1b]8;;http://example.com\x1b\\link\x1b]8;;\x1b\\", "link", ""},
		{"\x1b[2J\x1b[1;1H\x1b[?25l\x1b[>4;1mup\x1b[K\x1b(B\x1b=\x1b7\x1bPq#0\x1b\\", "up", ""},
		{"\u009b31mC1\u009b0m\u0085 end\x1b[38;5", "C1 end", "C1 color=31 31"},
		{"\x1b[38;5;300mx\x1b[38;2;1mx\x1b[99mx\x1b[31;1 qx\x1b[", "xxxx", ""},
		{"<b>\x1b[32m<img src=x onerror=pwned=1>\x1b[0m", "<b><img src=x onerror=pwned=1>", "<img src=x onerror=pwned=1> color=32 32"},
	} {
		p.send(test.line)
		p.row("received", test.text)
		got := ask[string](p, `(row => [...row.querySelectorAll('.ansi')].map(span => [span.textContent,
			span.style.color && 'color=' + getComputedStyle(span).color,
			span.style.background && 'background=' + getComputedStyle(span).backgroundColor,
			...[...span.classList].slice(1)].filter(Boolean).join(' ')).join('|'))(
			[...document.querySelectorAll('.row.received:not([hidden])')].findLast(row => row.querySelector('.data').textContent === %s))`, quote(test.text))
		for code, rgb := range map[int]string{31: "rgb(225, 131, 131)", 32: "rgb(13, 188, 121)", 92: "rgb(35, 209, 139)"} {
			got = strings.ReplaceAll(got, "color="+rgb, fmt.Sprintf("color=%d %d", code, code))
		}
		if got != test.spans {
			t.Errorf("%q is %q, want %q", test.line, got, test.spans)
		}
	}
	if boxes := ask[[]string](p, `[...document.querySelectorAll('.row .data')].map(data => data.textContent).filter(text => /[\x00-\x1f\x7f-\x9f␛]/.test(text))`); len(boxes) > 0 {
		t.Errorf("boxes in %q", boxes)
	}

	// A row that had colours is used again for one without.
	p.click("#clear")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 0`)
	p.send("plain")
	p.row("received", "plain")
	p.until(`document.querySelectorAll('.row:not([hidden]) .ansi').length === 0`)

	// One finds and copies what one sees; the bytes are still there.
	p.send("\x1b[31mer\x1b[32mror\x1b[0m\b\x07")
	p.row("received", "error␈␇")
	p.write("#filter", "error")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 2`)
	p.write("#filter", "")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 4`)
	p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	p.until(`document.querySelector('#whole').textContent === 'error␈␇' && document.querySelectorAll('#whole .ansi').length === 2`)
	p.click(`[name=as][value=hex]`)
	p.until(`document.querySelector('#whole').textContent.startsWith('000000  1b 5b 33 31 6d 65 72')`)
	p.click(`[name=as][value=text]`)

	// All of them are legible, on every ground.
	var all strings.Builder
	for n := range 256 {
		fmt.Fprintf(&all, "\x1b[38;5;%dmx\x1b[48;5;%d;38;5;%dmx\x1b[0;2;48;5;%dmx\x1b[0;7;38;5;%dmx\x1b[0m", n, n, 255-n, n, n)
	}
	p.send(all.String())
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 6 && document.querySelectorAll('.row.received .ansi').length > 400`)
	p.click(".row.received:nth-last-child(1 of :not([hidden]))")
	p.until(`document.querySelectorAll('#whole .ansi').length === 1024`)
	for _, theme := range []string{"light", "dark"} {
		p.choose("#theme", theme)
		for _, low := range ask[[]string](p, contrasts) {
			t.Errorf("%s: %s", theme, low)
		}
	}
}
