//go:build unix

package examples

import (
	"github.com/chromedp/chromedp"
)

// phone makes a window one of a phone.
var phone = []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)}

// usable asserts that the page fits into its window, and that each visitor can
// use it: by a finger, by keyboard, by ear, and in both schemes of colours.
func (p *tab) usable() {
	p.t.Helper()
	if !p.ask(`document.documentElement.scrollWidth <= innerWidth`) {
		p.t.Error("the page is wider than its window")
	}
	for what, list := range map[string]string{
		"there is no label for":            `[...document.querySelectorAll('input, canvas, ol, section')].filter(e => !e.ariaLabel)`,
		"too small for a finger is":        `matchMedia('(pointer: coarse)').matches ? [...document.querySelectorAll('button, input')].filter(e => e.checkVisibility() && e.offsetHeight < 40) : []`,
		"not to be reached by keyboard is": `[...document.querySelectorAll('button, input, ol')].filter(e => e.tabIndex !== 0)`,
	} {
		for _, element := range evaluate[[]string](p, `(%s).map(e => e.tagName + "#" + e.id)`, list) {
			p.t.Errorf("%s %s", what, element)
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		for _, low := range evaluate[[]string](p, "%s", contrasts) {
			p.t.Errorf("too little contrast, %s: %s", scheme, low)
		}
	}
	if p.ask(`getComputedStyle(document.body).backgroundColor === 'rgb(246, 246, 244)'`) {
		p.t.Error("the page is light where dark is preferred")
	}
}

// contrasts are the texts whose contrast with what is behind them is too low
// (WCAG 2.2, section 1.4.3: 4.5 to 1).
const contrasts = `[...document.querySelectorAll('body *')].flatMap(e => {
	const rgb = colour => colour.match(/[\d.]+/g).map(Number);
	const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * (c[i] <= 10 ? c[i] / 3294.6 : ((c[i] / 255 + 0.055) / 1.055) ** 2.4), 0);
	let ground = e;
	while (ground.parentElement && !/^rgb\(/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
	const check = (colour, text) => {
		const [low, high] = [colour, getComputedStyle(ground).backgroundColor].map(c => light(rgb(c)) + 0.05).sort((a, b) => a - b);
		return text && high / low < 4.5 ? [(high / low).toFixed(2) + ' for ' + text.slice(0, 40)] : [];
	};
	if (!e.checkVisibility() || e.matches('script, style, :disabled')) return [];
	const own = [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data.trim()).join('') || e.value;
	return [...check(getComputedStyle(e).color, own), ...check(getComputedStyle(e, '::placeholder').color, e.placeholder)];
})`
