package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Whom the console must not leave out, one function for each case of
// TestConsole: those without a mouse, without sight, with a small screen.

func consoleKeyboard(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	// tabTo goes on until an element has the focus, which must be seen.
	tabTo := func(id string, modifiers ...kb.Modifier) {
		t.Helper()
		for range 40 {
			p.press(kb.Tab, modifiers...)
			focus := ask[struct {
				ID      string
				Outline string
			}](p, `({ id: document.activeElement.id, outline: getComputedStyle(document.activeElement).outlineStyle })`)
			if focus.ID != "" && focus.Outline == "none" {
				t.Errorf("the focus on #%s is invisible", focus.ID)
			}
			if focus.ID == id {
				return
			}
		}
		t.Fatalf("the tab key does not lead to #%s", id)
	}
	const back = kb.ModifierShift

	p.until(`document.activeElement.id === 'line'`) // one can begin to write at once
	tabTo("toggle", back)
	p.press(kb.Enter)
	p.sentence("Connected")
	p.until(`document.activeElement.id === 'line'`)
	p.press("one" + kb.Enter + "two" + kb.Enter + `{"three":3}` + kb.Enter)
	p.row("received", `{"three":3}`)

	tabTo("list", back)
	p.press(kb.ArrowUp)
	p.until(`document.querySelector('#whole').textContent === '{\n  "three": 3\n}'`)
	p.press(kb.Home)
	p.until(`document.querySelector('#title').textContent.startsWith('#1 · note')`)
	p.press(kb.ArrowDown + kb.ArrowDown + kb.ArrowUp)
	p.until(`document.querySelector('.row[aria-selected=true] .data')?.textContent === 'one'`)
	p.until(`document.querySelector('.row[aria-selected=true]').id === document.querySelector('#list').getAttribute('aria-activedescendant')`)
	p.press(kb.PageDown)
	p.until(`document.querySelector('#title').textContent.startsWith('#7 · received')`)
	p.press(kb.Enter)
	p.until(`document.activeElement.id === 'whole'`)
	p.press(kb.Tab)
	p.until(`document.activeElement.id === 'line'`)
	p.press(kb.Tab, back)
	p.until(`document.activeElement.id === 'whole'`)
	p.press(kb.Escape)
	p.until(`document.activeElement.id === 'list' && !document.querySelector('#inspector').open`)

	tabTo("filter", back)
	p.press("three")
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 2`)
	tabTo("clear")
	p.press(kb.Enter)
	p.until(`document.querySelectorAll('.row:not([hidden])').length === 0`)
	tabTo("line")
	p.press("exit 3" + kb.Enter)
	p.sentence("4003: the command ended with exit status 3")
}

// busy opens a console with something of everything on it.
func busy(t *testing.T, browser context.Context) *tab {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send(`{"three":"3"}`)
	p.row("received", `{"three":"3"}`)
	p.click(".row.received")
	p.choose("#how", "hex")
	p.send("xyz")
	p.until(`document.querySelector('#trouble').textContent !== ''`)
	// As a row of standard error looks.
	ask[bool](p, `document.querySelector('.row:last-child').classList.toggle('stderr')`)
	return p
}

func consoleNames(t *testing.T, browser context.Context) {
	p := busy(t, browser)
	tree := call(p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		return strings.Trim(v.Value.String(), `"`)
	}
	roles := map[string]int{}
	for _, node := range tree.Nodes {
		role, name := text(node.Role), text(node.Name)
		if node.Ignored {
			continue
		}
		roles[role]++
		switch role {
		case "button", "textbox", "searchbox", "combobox", "checkbox", "radio", "listbox", "option", "image", "region", "RootWebArea":
			if name == "" {
				t.Errorf("a %s has no name", role)
			}
		}
	}
	for role, want := range map[string]int{
		"button": 9, "textbox": 2, "searchbox": 1, "combobox": 3, "checkbox": 1, "radio": 3,
		"listbox": 1, "status": 2, "alert": 1, "image": 1, "heading": 2, "main": 1, "banner": 1, "group": 1,
	} {
		if roles[role] < want {
			t.Errorf("%d elements with the role %s, want %d: %v", roles[role], role, want, roles)
		}
	}
	if twice := ask[[]string](p, `[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(twice) > 0 {
		t.Errorf("ids that are there twice: %q", twice)
	}
	if lang := ask[string](p, `document.documentElement.lang`); lang != "en" {
		t.Errorf("the language is %q", lang)
	}
}

// contrasts computes, by WCAG 2.2, section 1.4.3, the contrast of each text
// with what is behind it, and returns those that are too low.
const contrasts = `(() => {
	const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }), g = canvas.getContext('2d', { willReadFrequently: true });
	const rgba = colour => { g.clearRect(0, 0, 1, 1); g.fillStyle = colour; g.fillRect(0, 0, 1, 1); return [...g.getImageData(0, 0, 1, 1).data] };
	const light = colour => colour.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c } return [255, 255, 255] };
	const low = [];
	const check = (e, colour, text) => {
		const [a, b] = [light(rgba(colour)), light(behind(e))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) low.push(ratio.toFixed(2) + ' ' + text);
	};
	for (const e of document.querySelectorAll('body *')) {
		if (!e.checkVisibility() || e.closest('.unseen') || e.matches('script, style, option, :disabled, label:has(:disabled)')) continue;
		const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('') || e.value;
		if (own) check(e, getComputedStyle(e).color, e.tagName + '.' + e.className + ' ' + own.slice(0, 30));
		if (e.placeholder) check(e, getComputedStyle(e, '::placeholder').color, e.placeholder);
	}
	return low;
})()`

func consoleContrast(t *testing.T, browser context.Context) {
	p := busy(t, browser)
	grounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		for _, theme := range []string{"", "light", "dark"} {
			p.choose("#theme", theme)
			for _, low := range ask[[]string](p, contrasts) {
				t.Errorf("system %s, switch %q: %s", scheme, theme, low)
			}
			grounds[scheme+theme+ask[string](p, `getComputedStyle(document.body).backgroundColor`)] = true
		}
		if !ask[bool](p, `getComputedStyle(document.documentElement).colorScheme === 'dark'`) {
			t.Error("the switch does nothing")
		}
	}
	p.do(chromedp.Reload())
	p.until(`document.querySelector('#theme').value === 'dark' && document.documentElement.dataset.theme === 'dark'`)
	if len(grounds) != 6 {
		t.Errorf("%v", grounds)
	}
}

// prefer sets what the system prefers: light or dark.
func (p *tab) prefer(scheme string) {
	p.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// consoleModules calls functions of the modules by themselves.
func consoleModules(t *testing.T, browser context.Context) {
	files := http.FileServerFS(os.DirFS("internal/site"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".js") { // which the tables of a machine may not know
			w.Header().Set("Content-Type", "text/javascript")
		}
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	p := newTab(t, browser)
	// The page works from its parts, too; only, there is no socket behind it.
	p.do(chromedp.Navigate(server.URL + "/console/console.html"))
	p.until(`document.title.startsWith('○')`)
	for _, test := range []struct{ module, expression, want string }{
		{"closes.js", `ending({code: 1001, reason: 'server shutting down', opened: true})`, "1001: the server is shutting down"},
		{"closes.js", `ending({code: 1001, reason: 'session timeout', opened: true})`, "1001: the connection was as old as the server lets it become (--timeout)"},
		{"closes.js", `ending({code: 1001, reason: 'idle', opened: true})`, "1001: nothing was said for as long as the server allows (--idletimeout)"},
		{"closes.js", `ending({code: 1001, reason: 'toString', opened: true})`, "1001: the server has ended the connection (toString)"},
		{"closes.js", `ending({code: 1005, reason: '', opened: true})`, "1005: closed without a code"},
		{"closes.js", `ending({code: 1006, reason: '', opened: true})`, "1006: the connection was lost: the server is gone, or did not hear from this page for too long"},
		{"closes.js", `ending({code: 1006, opened: false, refusal: {}})`, "1006: no connection: the server cannot be reached"},
		{"closes.js", `ending({code: 1006, opened: false, refusal: {status: 502, reason: ''}})`, "502: the server has refused the connection"},
		{"closes.js", `ending({code: 1007, reason: 'text is not UTF-8', opened: true})`, "1007: the server could not read what was sent (text is not UTF-8)"},
		{"closes.js", `ending({code: 1011, reason: 'command not found', opened: true})`, "1011: the server could not start or go on with the command (command not found)"},
		{"closes.js", `ending({code: 1012, reason: '', opened: true})`, "1012: the command is being restarted"},
		{"closes.js", `ending({code: 3000, reason: 'x', opened: true})`, "3000: closed with a code of the command’s or the server’s own (x)"},
		{"closes.js", `ending({code: 4000, reason: '', opened: true})`, "4000: closed with a code of the command’s or the server’s own"},
		{"closes.js", `ending({code: 4255, reason: 'exit status 255', opened: true})`, "4255: the command ended with exit status 255"},
		{"closes.js", `ending({code: 4162, reason: 'signal: 34', opened: true})`, "4162: the command was killed by signal 34"},
		{"closes.js", `ending({code: 1000, reason: '', opened: true, ours: true})`, "Disconnected"},
		{"format.js", `[0, 1023, 1024, 10239, 10240, 1048575, 1048576, 5e9].map(bytes).join()`, "0 B,1023 B,1.0 KiB,10 KiB,10 KiB,1.0 MiB,1.0 MiB,4.7 GiB"},
		{"format.js", `[0, .04, 9.94, 9.95, 999.4, 999.5, 9994, 9995, 59949, 59950, 61000, 3600000, 90061000].map(duration).join()`,
			"0.0 ms,0.0 ms,9.9 ms,10 ms,999 ms,1.00 s,9.99 s,10.0 s,59.9 s,1 m 0 s,1 m 1 s,1 h 0 m,25 h 1 m"},
		{"format.js", `['', 'a', 'é', '€', '🌍'].map(byteLength).join()`, "0,1,2,3,4"},
		{"format.js", `preview('\x1b[31m\r\n\0\x7f')`, "␍␊␀␡"},
		{"format.js", `preview('\x1b]0;a title\x07\x1b[1m' + '\x1b[38;5;9mx'.repeat(600))`, strings.Repeat("x", 500)},
		{"format.js", `picturesInLines('a\tb\r\nc\rd\n\x07')`, "a\tb\r\nc␍d\n␇"},
		{"format.js", `preview(new TextEncoder().encode('€'.repeat(400))).length + ''`, "166"}, // cut in the middle of one
		{"hex.js", `[...parseHex('de:ad-BE,ef 0x0a \\x0b')].join()`, "222,173,190,239,10,11"},
		{"hex.js", `[...parseHex('  ')].length + ''`, "0"},
		{"hex.js", `(() => { try { parseHex('0g') } catch (e) { return e.message } })()`, "“g” is not a hexadecimal digit"},
		{"hex.js", `dump(new TextEncoder().encode('0123456789abcdef\n'), 16)`,
			"000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n000010  0a                                               ."},
		{"streams.js", `['{"stream":7}', 'no JSON', '{"stream":"stderr","data":7}', '{"stream":"stderr","data":"a"}'].map(m => streamOf(m).kind + streamOf(m).data).join(' ')`,
			`received{"stream":7} receivedno JSON received{"stream":"stderr","data":7} stderra`},
		{"json.js", `String(pretty('7')) + pretty('{') + pretty('[]')`, "undefinedundefined[]"},
		{"messages.js", `messagesOf('a\nb', 'lines', true).map(m => new TextDecoder().decode(m)).join('|')`, "a\n|b\n"},
	} {
		got := ask[string](p, `import('/console/%s').then(module => { Object.assign(globalThis, module); return %s })`, test.module, test.expression)
		if got != test.want {
			t.Errorf("%s is %q, want %q", test.expression, got, test.want)
		}
	}
}
