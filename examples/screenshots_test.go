//go:build unix

package examples

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "write the screenshots in ../.github/images instead of looking at those that are there")

// TestScreenshots takes the pictures of the READMEs, if asked for by -update;
// otherwise it looks whether they are there, and no larger than a page should
// have to load.
func TestScreenshots(t *testing.T) {
	const most = 60 << 10
	if *update {
		browser := startBrowser(t)
		for name, take := range map[string]func(*testing.T, context.Context){
			"dashboard": dashboardPicture,
			"log":       logPicture,
			"chat":      chatPicture,
			"terminal":  terminalPicture,
		} {
			t.Run(name, func(t *testing.T) { take(t, browser) })
		}
	}
	for _, name := range []string{"dashboard", "log", "chat", "terminal"} {
		for _, scheme := range []string{"light", "dark"} {
			info, err := os.Stat(picture(name, scheme))
			if err != nil {
				t.Error(err)
			} else if info.Size() > most {
				t.Errorf("%s has %d bytes, want at most %d", info.Name(), info.Size(), most)
			}
		}
	}
}

func picture(name, scheme string) string {
	return filepath.Join("..", ".github", "images", name+"-"+scheme+".png")
}

// take writes the picture of a page in each scheme.
func (p *tab) take(name string) {
	p.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		// What is drawn with the colours of the scheme comes with the next frame.
		p.ask(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
		ctx, cancel := context.WithTimeout(p.ctx, limit)
		defer cancel()
		taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			p.t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(taken))
		if err != nil {
			p.t.Fatal(err)
		}
		var small bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&small, withPalette(img, 256)); err != nil {
			p.t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(picture(name, scheme)), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(picture(name, scheme), small.Bytes(), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// withPalette writes a picture with its n most frequent colours. A page has few
// but for the edges of its letters, and so becomes a third of its size.
func withPalette(img image.Image, n int) *image.Paletted {
	count := map[color.Color]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			count[img.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	made := image.NewPaletted(img.Bounds(), colours[:min(n, len(colours))])
	draw.Draw(made, made.Bounds(), img, image.Point{}, draw.Src)
	return made
}

// prefer sets what the system prefers: light or dark.
func (p *tab) prefer(scheme string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		p.t.Fatal(err)
	}
}

// dashboardPicture lets a minute pass at once, of a machine that compiles
// something. The numbers come the way that vmstat's do.
func dashboardPicture(t *testing.T, browser context.Context) {
	s := start(t, nil, "--staticdir=dashboard", "sh", "-c", "cat >/dev/null")
	p := s.open(t, browser, "", 900, 660, chromedp.EmulateScale(1.5))
	lines := []string{"r b swpd free buff cache si so bi bo in cs us sy id wa st", "1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"}
	random := uint32(7)
	noise := func(most int) int {
		random = random*1664525 + 1013904223
		return int(random>>8) % most
	}
	free, us := 6_200_000, 5
	for second := range 70 {
		goal, wa, bo := 5, 0, noise(60)
		switch {
		case second > 14 && second < 20: // reads its files
			goal, wa, bo = 22, 9+noise(12), 1800+noise(2400)
		case second >= 20 && second < 46:
			goal, free = 74, free-34_000-noise(9000)
		case second >= 46 && second < 52: // links, and writes
			goal, wa, bo = 38, 4+noise(9), 5200+noise(3600)
		case second == 54:
			free += 800_000
		}
		us += (goal-us)/2 + noise(9) - 4
		us = max(us, 1)
		sy := us/7 + noise(4) + 1
		lines = append(lines, fmt.Sprintf("%d 0 0 %d 0 0 0 0 %d %d 0 %d %d %d %d %d 0",
			us/22+noise(2), free+noise(6000), bo/3, bo, 900+us*75+noise(700), us, sy, 100-us-sy-wa, wa))
	}
	p.ask(`(lines => {
		let now = performance.now();
		performance.now = () => now;
		for (const line of lines) {
			now += 1000;
			receive(line);
		}
		return true;
	})(%s)`, quote(lines))
	p.take("dashboard")
}

// britain lets the page write times as 14:05.
func (p *tab) britain() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"}); err != nil {
		p.t.Fatal(err)
	}
}

func logPicture(t *testing.T, browser context.Context) {
	need(t, "python3")
	path := filepath.Join(t.TempDir(), "access.log")
	var lines []string
	at := time.Date(2026, 5, 4, 9, 12, 3, 0, time.UTC)
	for i := range 160 {
		at = at.Add(time.Duration(1+i*i%7) * time.Second)
		what := []string{
			"info  GET /orders/%d 200 in 14 ms",
			"info  GET /orders?page=%d 200 in 31 ms",
			"info  POST /orders 201 in 48 ms, order %d",
			"warn  GET /orders/%d 200 in 2104 ms: slower than 2 s",
			"info  GET /health 200 in 1 ms",
			"info  mail for order %d sent to the queue",
			"error POST /orders 502 in 5003 ms: payment for order %d: no answer from bank.example in 5 s",
			"info  GET /orders/%d 304 in 2 ms",
			"info  DELETE /basket/%d 204 in 9 ms",
			"warn  payment for order %d: attempt 2 of 3",
		}[i*i*i%11%10]
		if strings.Contains(what, "%d") {
			what = fmt.Sprintf(what, 4100+i)
		}
		lines = append(lines, at.Format("15:04:05.000 ")+what)
	}
	appendLines(t, path, lines...)
	s := start(t, nil, "--staticdir=log", "log/follow.py", path)
	p := s.open(t, browser, "#order", 900, 420, chromedp.EmulateScale(1.5))
	p.until(`document.querySelectorAll('#lines mark').length > 20`)
	p.take("log")
}

func chatPicture(t *testing.T, browser context.Context) {
	need(t, "python3")
	s := start(t, nil, "--staticdir=chat", "--share=url", "chat/chat.py")
	people := map[string]*tab{}
	for _, name := range []string{"Ada", "Grace", "Linus"} {
		people[name] = s.open(t, browser, "", 800, 640, chromedp.EmulateScale(1.5))
		people[name].britain()
		people[name].write("#name", name)
	}
	for i, line := range []struct{ who, text string }{
		{"Ada", "Is the new build out?"},
		{"Grace", "Since ten minutes ago. So far so good."},
		{"Grace", "Dashboards are green, and the log is quiet."},
		{"Linus", "I saw one 502 from the bank, but the second attempt went through."},
		{"Ada", "That was them, not us. I will write to them."},
		{"Linus", "<b>Thanks!</b>"},
		{"Grace", "No markup in here, Linus"},
	} {
		people[line.who].write("#text", line.text)
		people["Ada"].until(`document.querySelectorAll('#lines li').length === %d`, i+1)
	}
	people["Ada"].ask(`document.querySelector('#text').value = 'Lunch?', true`)
	people["Ada"].take("chat")
}
