// Package chart draws the few charts of Parallax as SVG, in Go: ranked bars,
// estimates with their intervals, a line with its interval, set overlaps and
// small networks.
//
// A chart is drawn without a style attribute or a script; every mark has a CSS
// class and the kit's style sheet colours it, in light, dark and forced colours
// and on paper. Every chart has a title and a description for those who do not
// see it, and gives the figures it was drawn from as a table, intervals
// included. What varies along the x axis is placed in per cent, so that letters
// keep their size on a small screen.
package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Chart is something that can be drawn and read as a table.
type Chart interface {
	// SVG is the drawing. Its text is escaped.
	SVG() template.HTML
	// Data is the table of everything that the drawing shows.
	Data() Data
}

// Data is a chart's table: rows of text, one cell for each column.
type Data struct {
	Caption string
	Columns []string
	Rows    [][]string
	Numeric bool // the columns after the first hold numbers
}

// Number is a whole number in groups of three digits.
func Number(n int64) string {
	text := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(text, "-")
	var b strings.Builder
	b.WriteString(text[:len(text)-len(digits)])
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// value is a number as it stands beside a mark: whole where it is whole, and
// otherwise with three significant digits.
func value(v float64) string {
	switch {
	case math.IsNaN(v):
		return "not known"
	case math.IsInf(v, 0):
		return "no limit"
	case v == math.Trunc(v) && math.Abs(v) < 1e15, math.Abs(v) >= 1000 && math.Abs(v) < 1e15:
		return Number(int64(math.Round(v)))
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}

// finite is v, or 0 where it is not a finite number.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// niceMax is the least of 1, 2, 2.5, 5 times a power of ten that is not below v.
func niceMax(v float64) float64 {
	if v <= 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 2.5, 5, 10} {
		if v <= step*power*(1+1e-12) {
			return step * power
		}
	}
	return 10 * power
}

// pen writes SVG. Text and attribute values are escaped here and nowhere else.
type pen struct{ b strings.Builder }

// open starts an element with attributes given as name, value, name, value.
func (p *pen) open(name string, attrs ...string) { p.tag(name, ">", attrs) }

// mark is an element without content.
func (p *pen) mark(name string, attrs ...string) { p.tag(name, "/>", attrs) }

func (p *pen) tag(name, end string, attrs []string) {
	p.b.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		p.b.WriteString(" " + attrs[i] + `="` + template.HTMLEscapeString(attrs[i+1]) + `"`)
	}
	p.b.WriteString(end)
}

func (p *pen) close(name string) { p.b.WriteString("</" + name + ">\n") }

// text is a text element.
func (p *pen) text(content string, attrs ...string) {
	p.open("text", attrs...)
	p.b.WriteString(template.HTMLEscapeString(content))
	p.close("text")
}

// begin opens the drawing with its title and description, both of which name
// it: an image to assistive technology, with its figures in the table.
func (p *pen) begin(kind, title, desc string, attrs ...string) {
	label := title
	if desc != "" {
		label += ". " + desc
	}
	p.open("svg", append([]string{"class", "chart chart-" + kind, "role", "img", "aria-label", label,
		"xmlns", "http://www.w3.org/2000/svg", "focusable", "false"}, attrs...)...)
	p.b.WriteString("<title>" + template.HTMLEscapeString(title) + "</title>")
	p.b.WriteString("<desc>" + template.HTMLEscapeString(desc) + "</desc>\n")
}

func (p *pen) end() template.HTML {
	p.close("svg")
	return template.HTML(p.b.String()) //nolint:gosec // written by pen, which escapes everything it is given
}

// px is a length in pixels, to a tenth.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// pct is a length in per cent of the width, to a hundredth.
func pct(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) + "%"
}

// wrap cuts text into lines of at most width letters, between words where it
// can, and at most two of them: what is left over is in the table.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, clip(line, width))
			line = word
		}
	}
	lines = append(lines, clip(line, width))
	if len(lines) > 2 {
		lines = []string{lines[0], clip(lines[1]+" "+lines[2], width)}
	}
	return lines
}

func clip(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// grid draws the lines of a scale's ticks from top to bottom.
func (p *pen) grid(s scale, top, bottom float64) {
	for _, tick := range s.ticks() {
		x := pct(s.at(tick))
		p.mark("line", "class", "grid", "x1", x, "x2", x, "y1", px(top), "y2", px(bottom))
	}
}

// axis writes the ticks of a scale below a plot that ends at bottom.
func (p *pen) axis(s scale, bottom float64, unit string) {
	for _, tick := range s.ticks() {
		x := s.at(tick)
		anchor := "middle"
		if x < 10 {
			anchor = "start"
		} else if x > 90 {
			anchor = "end"
		}
		p.text(value(tick), "class", "tick", "x", pct(x), "y", px(bottom+16), "text-anchor", anchor)
	}
	if unit != "" {
		p.text(unit, "class", "tick", "x", "0", "y", px(bottom+34))
	}
}

// scale maps values to per cent of the width, keeping clear of the edges so
// that a mark at either end is drawn whole.
type scale struct{ low, high float64 }

const margin = 1.5 // per cent at either edge

func (s scale) at(v float64) float64 {
	share := (min(max(v, s.low), s.high) - s.low) / (s.high - s.low)
	return margin + share*(100-2*margin)
}

// ticks are five round values, both ends included.
func (s scale) ticks() []float64 {
	out := make([]float64, 0, 5)
	for i := range 5 {
		out = append(out, s.low+(s.high-s.low)*float64(i)/4)
	}
	return out
}

// scaleOver is a scale that holds all values; it starts at 0 unless some are
// negative.
func scaleOver(values ...float64) scale {
	low, high := 0.0, 0.0
	for _, v := range values {
		low, high = min(low, finite(v)), max(high, finite(v))
	}
	s := scale{high: niceMax(high)}
	if low < 0 {
		s.low = -niceMax(-low)
		if high <= 0 {
			s.high = 0
		}
	}
	return s
}

func describe(desc, fallback string, args ...any) string {
	if desc != "" {
		return desc
	}
	return fmt.Sprintf(fallback, args...)
}
