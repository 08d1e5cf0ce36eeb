package cmd

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The console on small screens, one function for each case of TestConsole.

func consolePhone(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := newTab(t, browser)
	for _, height := range []int64{844, 420, 320} { // the last ones with the keyboard on the screen
		p.do(chromedp.EmulateViewport(390, height, chromedp.EmulateMobile, chromedp.EmulateTouch), chromedp.Navigate(s.page))
		p.until(`document.title.startsWith('○')`)
		p.send("a line that is much wider than the screen of any phone is, which must not matter to the page at all")
		p.until(`document.querySelectorAll('.row.received:not([hidden])').length > 0`)
		for _, selector := range []string{"#address", "#toggle", "#list", "#line", "#send", "#whole"} {
			if selector == "#whole" {
				p.click(".row.received")
				p.until(`document.querySelector('#inspector:modal')?.getAnimations().length === 0`)
			}
			box := ask[struct{ Left, Right, Top, Bottom, Height float64 }](p, `document.querySelector(%s).getBoundingClientRect().toJSON()`, quote(selector))
			if box.Left < 0 || box.Right > 390 || box.Top < 0 || box.Bottom > float64(height) || box.Height < 20 {
				t.Errorf("390 by %d: %s lies at %+v", height, selector, box)
			}
		}
		if width := ask[float64](p, `document.scrollingElement.scrollWidth`); width > 390 {
			t.Errorf("the page is %v wide", width)
		}
		if small := ask[[]string](p, `[...document.querySelectorAll('button, select, input, textarea')].filter(e => e.checkVisibility() && e.type !== 'checkbox' && e.type !== 'radio' && e.offsetHeight < 40).map(e => e.id)`); len(small) > 0 {
			t.Errorf("too small for a finger: %q", small)
		}
	}
}

// Where there is room for it, a message opens beside the list or below it, and moves
// nothing out of sight.
func consoleTablet(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	p := openConsole(t, browser, s.page)
	p.send("[" + strings.Repeat("1,", 200) + "2]")
	p.until(`document.querySelectorAll('.row.received:not([hidden])').length === 1`)
	p.tap(".row.received")
	for _, size := range [][2]int64{{768, 1024}, {1320, 800}} {
		p.do(chromedp.EmulateViewport(size[0], size[1]))
		p.until(`innerWidth === %d && document.querySelector('#inspector:not(:modal)').open`, size[0])
		for _, selector := range []string{"#list", "#whole", "#send"} {
			box := ask[struct{ Right, Bottom, Height float64 }](p, `document.querySelector(%s).getBoundingClientRect().toJSON()`, quote(selector))
			if box.Right > float64(size[0]) || box.Bottom > float64(size[1]) || selector != "#send" && box.Height < 180 {
				t.Errorf("%v: %s lies at %+v", size, selector, box)
			}
		}
	}
}

// A message opens as a sheet over the list, by a finger and by the keyboard.
func consoleSheet(t *testing.T, browser context.Context) {
	s := serveConsole(t, "child", "obey")
	const modal = `document.querySelector('#inspector:modal')`
	for _, height := range []int64{640, 400} {
		p := newTab(t, browser)
		p.do(chromedp.EmulateViewport(360, height, chromedp.EmulateMobile, chromedp.EmulateTouch))
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		p.do(chromedp.Navigate(s.page))
		p.until(`document.title.startsWith('○')`)
		// The bars are never higher than now: the sentence is a long one.
		p.send("exit 130")
		p.sentence("4130: the command ended with exit status 130, as a shell does after signal 2 (SIGINT)")
		if list := ask[float64](p, `document.querySelector('#list').clientHeight`); list < 60 {
			t.Errorf("360 by %d: the list is %v high", height, list)
		}
		p.send("[" + strings.Repeat("1,", 200) + "2]")
		p.until(`document.querySelectorAll('.row.received:not([hidden])').length === 1`)

		p.tap(".row.received")
		p.until(modal)
		if ask[int](p, modal+`.getAnimations().length`) > 0 {
			t.Error("it moves, which nobody wants to see")
		}
		p.until(`document.activeElement.id === 'whole'`)
		for _, selector := range []string{"#inspector", "#whole", "#close"} {
			box := ask[struct{ Top, Bottom, Height float64 }](p, `document.querySelector(%s).getBoundingClientRect().toJSON()`, quote(selector))
			if box.Top < 0 || box.Bottom > float64(height) || box.Height < 40 || selector == "#whole" && box.Height < 180 {
				t.Errorf("360 by %d: %s lies at %+v", height, selector, box)
			}
		}
		p.press(kb.End)
		p.until(`(whole => whole.scrollTop > 3000 && whole.scrollTop + whole.clientHeight >= whole.scrollHeight - 1)(document.querySelector('#whole'))`)
		for range 8 { // what is behind it is out of reach
			p.press(kb.Tab)
			p.until(`document.activeElement === document.body || document.querySelector('#inspector').contains(document.activeElement)`)
		}
		p.tap("#close")
		p.until(`!document.querySelector('#inspector').open && document.activeElement.id === 'list'`)

		// Whoever walks through the list still sees it.
		p.press(kb.ArrowUp)
		p.until(`document.querySelector('.row[aria-selected=true]')`)
		if ask[bool](p, `document.querySelector('#inspector').open`) {
			t.Error("the sheet hides the list")
		}
		p.press(kb.Enter)
		p.until(modal)
		p.press(kb.Escape)
		p.until(`!document.querySelector('#inspector').open && document.activeElement.id === 'list'`)

		p.tap(".row.received")
		p.until(modal)
		p.touch(180, 10)
		p.until(`!document.querySelector('#inspector').open`)

		// A screen that is turned has room for both.
		p.tap(".row.received")
		p.until(modal)
		p.do(chromedp.EmulateViewport(1200, 800))
		p.until(`document.querySelector('#inspector:not(:modal)').open`)
		p.until(`document.querySelector('#whole').textContent.endsWith('2\n]')`)
	}
}

// tap touches the middle of an element.
func (p *tab) tap(selector string) {
	p.Helper()
	at := ask[struct{ X, Y float64 }](p, `(box => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 }))(document.querySelector(%s).getBoundingClientRect())`, quote(selector))
	p.touch(at.X, at.Y)
}

func (p *tab) touch(x, y float64) {
	p.Helper()
	call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{
		Type: "touchStart", TouchPoints: []*input.TouchPoint{{X: x, Y: y}},
	})
	call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: "touchEnd", TouchPoints: []*input.TouchPoint{}})
}
