package cmd

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestGrowthPlot keeps the README's plot in step with the figures beside it,
// which BenchmarkGrowth and BenchmarkShared print; go generate draws it.
func TestGrowthPlot(t *testing.T) {
	dir := filepath.Join("..", ".github", "images")
	figures, err := os.ReadFile(filepath.Join(dir, "growth.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got := growthPlot(growthFigures(figures))
	name := filepath.Join(dir, "growth.svg")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("%s is not that of growth.txt: run go generate ./...", name)
	}
}

// A growthSeries is what a benchmark has measured of a program in a unit.
type growthSeries struct{ benchmark, program, unit string }

// growthFigures are the results of benchmarks by the number of connections.
func growthFigures(output []byte) map[growthSeries]map[int][]float64 {
	name := regexp.MustCompile(`^Benchmark(\w+)/connections=(\d+)/program=([a-z]+)`)
	figures := map[growthSeries]map[int][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		m := name.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		for i := 2; i+1 < len(fields); i += 2 {
			series := growthSeries{m[1], m[3], fields[i+1]}
			if figures[series] == nil {
				figures[series] = map[int][]float64{}
			}
			value, _ := strconv.ParseFloat(fields[i], 64)
			figures[series][n] = append(figures[series][n], value)
		}
	}
	return figures
}

// A growthPanel is one of the plot's coordinate systems, with logarithmic
// scales.
type growthPanel struct {
	title     string
	benchmark string
	unit      string
	value     func(v float64) float64
}

// growthRows are the panels, in rows with a heading.
var growthRows = []struct {
	heading string
	panels  []growthPanel
}{
	{"a program for each connection", []growthPanel{
		{"messages a second", "Growth", "ns/op", func(v float64) float64 { return 1e9 / v }},
		{"p99 latency, ms", "Growth", "p99-µs", func(v float64) float64 { return v / 1e3 }},
		{"memory a connection, KiB", "Growth", "KiB/connection", func(v float64) float64 { return v }},
	}},
	{"one program for all", []growthPanel{
		{"messages a second", "Shared", "messages/s", func(v float64) float64 { return v }},
		{"memory a connection, KiB", "Shared", "KiB/connection", func(v float64) float64 { return v }},
	}},
}

var growthPrograms = []string{"wsbridge", "websocketd", "node", "floor"}

const (
	panelWidth, panelHeight = 230.0, 190.0
	panelStep               = 280.0
	panelLeft, panelTop     = 46.0, 82.0
	rowStep                 = 290.0
)

// The colours differ in lightness too, and stand out from a light page and
// from a dark one.
const growthStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #444 }
.title { font-weight: 600 }
.grid { stroke: #8885; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.wsbridge { stroke: #1f6fd0; fill: #1f6fd0; stroke-width: 3 } .websocketd { stroke: #c2560c; fill: #c2560c }
.node { stroke: #2c8a4b; fill: #2c8a4b } .floor { stroke: #777; fill: #777; stroke-dasharray: 5 3 }
circle.floor { stroke-dasharray: none }
path.line { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #ccc }
.wsbridge { stroke: #6cb0ff; fill: #6cb0ff } .websocketd { stroke: #ff9d57; fill: #ff9d57 }
.node { stroke: #63d28a; fill: #63d28a } .floor { stroke: #aaa; fill: #aaa }
}
</style>
`

func growthPlot(figures map[growthSeries]map[int][]float64) []byte {
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 %.0f" role="img" aria-labelledby="title">
<title id="title">Throughput, latency and memory of each server by the number of connections</title>
%s`, 30+rowStep*float64(len(growthRows)), growthStyle)
	x := panelLeft
	for _, program := range growthPrograms {
		fmt.Fprintf(&svg, "<path class=\"line %s\" d=\"M%.0f 16h24\"/><text x=\"%.0f\" y=\"20\">%s</text>\n", program, x, x+30, program)
		x += 130
	}
	for row, r := range growthRows {
		top := panelTop + rowStep*float64(row)
		fmt.Fprintf(&svg, "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n", panelLeft, top-32, r.heading)
		for i, panel := range r.panels {
			fmt.Fprintf(&svg, "<g transform=\"translate(%.0f %.0f)\">\n", panelLeft+float64(i)*panelStep, top)
			panel.draw(&svg, figures)
			fmt.Fprintln(&svg, "</g>")
		}
	}
	fmt.Fprintln(&svg, "</svg>")
	return svg.Bytes()
}

func (p growthPanel) draw(svg *bytes.Buffer, figures map[growthSeries]map[int][]float64) {
	var ns []int
	low, high := math.Inf(1), math.Inf(-1)
	points := map[string]map[int]float64{}
	for _, program := range growthPrograms {
		points[program] = map[int]float64{}
		for n, values := range figures[growthSeries{p.benchmark, program, p.unit}] {
			slices.Sort(values)
			v := p.value(values[len(values)/2])
			points[program][n] = v
			low, high = min(low, v), max(high, v)
			if !slices.Contains(ns, n) {
				ns = append(ns, n)
			}
		}
	}
	slices.Sort(ns)
	if len(ns) == 0 {
		return
	}
	low, high = math.Log10(low/1.2), math.Log10(high*1.2)
	xAt := func(n int) float64 {
		return panelWidth * math.Log10(float64(n)) / math.Log10(float64(max(ns[len(ns)-1], 2)))
	}
	yAt := func(v float64) float64 { return panelHeight * (high - math.Log10(v)) / (high - low) }

	fmt.Fprintf(svg, "<text class=\"title\" x=\"0\" y=\"-12\">%s</text>\n", p.title)
	for _, v := range growthTicks(low, high) {
		fmt.Fprintf(svg, "<path class=\"grid\" d=\"M0 %.1fh%.0f\"/><text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			yAt(v), panelWidth, yAt(v)+4, growthNumber(v))
	}
	for _, n := range ns {
		fmt.Fprintf(svg, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"middle\">%d</text>\n", xAt(n), panelHeight+18, n)
	}
	fmt.Fprintf(svg, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">connections</text>\n", panelWidth/2, panelHeight+36)
	for _, program := range slices.Backward(growthPrograms) { // the first lies on top
		path, circles := "", ""
		for _, n := range ns {
			if v, ok := points[program][n]; ok {
				path += fmt.Sprintf("L%.1f %.1f", xAt(n), yAt(v))
				circles += fmt.Sprintf("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", program, xAt(n), yAt(v))
			}
		}
		if path != "" {
			fmt.Fprintf(svg, "<path class=\"line %s\" d=\"M%s\"/>%s\n", program, path[1:], circles)
		}
	}
}

// growthTicks are what a scale between two powers of ten is marked with.
func growthTicks(low, high float64) (ticks []float64) {
	for e := math.Floor(low); e <= high; e++ {
		for _, digit := range []float64{1, 2, 5} {
			v := digit * math.Pow(10, e)
			if at := math.Log10(v); at >= low && at <= high && (digit == 1 || high-low < 2) {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// growthNumber writes a number of one digit and zeros shortly.
func growthNumber(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", math.Round(v/1e6))
	case v >= 1e3:
		return fmt.Sprintf("%gk", math.Round(v/1e3))
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}
