package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestScreenshots takes the pictures of the console in the README, if asked
// for by -update; otherwise it looks whether they are there, and no larger
// than a page should have to load.
func TestScreenshots(t *testing.T) {
	const most = 60 << 10
	if *update {
		consolePicture(t, startBrowser(t))
	}
	for _, scheme := range []string{"light", "dark"} {
		info, err := os.Stat(picture(scheme))
		if err != nil {
			t.Error(err)
		} else if info.Size() > most {
			t.Errorf("%s has %d bytes, want at most %d", info.Name(), info.Size(), most)
		}
	}
}

func picture(scheme string) string {
	return filepath.Join("..", ".github", "images", "console-"+scheme+".png")
}

// consolePicture lets somebody talk to a weather station, whose minute is three
// seconds long.
func consolePicture(t *testing.T, browser context.Context) {
	const faster = 20
	s := serveConsole(t, "--passstderr", "child", "weather", fmt.Sprint(faster))
	p := newTab(t, browser)
	p.atBirth(fmt.Sprintf(`{ const now = performance.now.bind(performance); performance.now = () => now() * %d }`, faster))
	p.do(chromedp.EmulateViewport(1060, 560, chromedp.EmulateScale(1.25)), chromedp.Navigate(s.page+"stations?unit=celsius"))
	p.do(chromedp.Focus(chromedp.CSS("#address")))
	p.press(kb.Enter)
	p.sentence("Connected")
	time.Sleep(time.Minute / faster)
	for _, line := range []string{"stations", "report attic", "report roof"} {
		p.send(line)
	}
	p.until(`(row => row && (row.click(), true))([...document.querySelectorAll('.row')].find(row => row.textContent.includes('"now"')))`)
	p.write("#line", "report garden")
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		p.take(picture(scheme))
	}
}

// take writes the picture of the page.
func (p *tab) take(name string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(taken))
	if err != nil {
		p.Fatal(err)
	}
	var small bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&small, withPalette(img, 128)); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(name, small.Bytes(), 0o644); err != nil {
		p.Fatal(err)
	}
}

// withPalette writes a picture with n of its colours: the most frequent, but
// none that another can stand for. A page has few but for the edges of its
// letters, and so becomes a third of its size.
func withPalette(img image.Image, n int) *image.Paletted {
	const alike = 12 // in a channel, of 255
	count := map[color.RGBA]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			count[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	palette := color.Palette{}
	for _, c := range slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	}) {
		near := slices.ContainsFunc(palette, func(other color.Color) bool {
			o := other.(color.RGBA)
			far := func(a, b uint8) bool { return max(a, b)-min(a, b) > alike }
			return !far(c.R, o.R) && !far(c.G, o.G) && !far(c.B, o.B)
		})
		// Backgrounds differ by less, and are large.
		if len(palette) < n && (!near || count[c] > 2000) {
			palette = append(palette, c)
		}
	}
	made := image.NewPaletted(img.Bounds(), palette)
	draw.Draw(made, made.Bounds(), img, image.Point{}, draw.Src)
	return made
}

// weather is a station for the picture. It tells its readings, of which more
// come when the wind is up, and answers questions; its time passes faster than
// that of the clock.
func weather(stdin io.Reader, faster int) int {
	var asked atomic.Bool // from then on there is time to read the answers
	go func() {
		for n := 0; ; n++ {
			minute := float64(n) / 420
			wind, perSecond := 3.5-2.5*math.Cos(9*minute)+math.Sin(31*minute), 0.5
			if !asked.Load() {
				perSecond += 2 * wind
			}
			fmt.Printf(`{"station":"roof","wind":%.1f,"celsius":%.1f}`+"\n", wind, 21+.4*math.Sin(17*minute))
			time.Sleep(time.Duration(float64(time.Second) / perSecond / float64(faster)))
		}
	}()
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		asked.Store(true)
		switch order, station, _ := strings.Cut(lines.Text(), " "); {
		case order == "stations":
			fmt.Println(`{"stations":["roof","cellar","garden"],"since":"06:00"}`)
		case station != "roof":
			fmt.Fprintf(os.Stderr, "no station %q\n", station)
		default:
			fmt.Println(`{"station":"roof","now":{"celsius":21.4,"humidity":0.47,"wind":{"from":"NW","speed":3.2}},` +
				`"today":{"low":12.9,"high":22.6},"sensors":["t1","h1","w2"],"alarm":false,"note":"shade until noon, so \"celsius\" is the air's"}`)
		}
	}
	return 0
}
