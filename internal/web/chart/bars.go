package chart

import (
	"html/template"
	"math"
)

// Bars are values from the greatest or in any order the caller gives, each with
// its label above it and its value at its end.
type Bars struct {
	Title string
	Desc  string // what the chart says, in a sentence; empty: made from the values
	Unit  string // "organisations"
	Head  string // heads the column of labels in the table; empty: "Name"
	Items []Bar
}

// Bar is one value. Values below zero are drawn as zero and told in the table.
type Bar struct {
	Label string
	Value float64
	Low   float64 // with High: the interval; equal or both zero: a count, without one
	High  float64
}

func (b Bar) interval() bool { return b.High > b.Low }

const (
	labelWidth = 44 // letters of a label line: fits 320 pixels
	lineHeight = 18
	barHeight  = 16
	barGap     = 14
)

// SVG implements Chart.
func (c Bars) SVG() template.HTML {
	s := c.scale()
	height := 4.0
	for _, b := range c.Items {
		height += float64(len(wrap(b.label(), labelWidth))*lineHeight + barHeight + barGap)
	}
	var p pen
	p.begin("bars", c.Title, c.desc(), "width", "100%", "height", px(height))
	y := 4.0
	for _, b := range c.Items {
		for _, line := range wrap(b.label(), labelWidth) {
			p.text(line, "class", "label", "x", "0", "y", px(y+13))
			y += lineHeight
		}
		p.mark("rect", "class", "track", "x", "0", "width", "100%", "y", px(y), "height", px(barHeight))
		end := finite(max(b.Value, 0)) / s * 100
		p.mark("rect", "class", "bar", "x", "0", "width", pct(end), "y", px(y), "height", px(barHeight))
		if b.interval() {
			low, high := pct(max(b.Low, 0)/s*100), pct(finite(b.High)/s*100)
			mid := px(y + barHeight/2)
			p.mark("line", "class", "whisker", "x1", low, "x2", high, "y1", mid, "y2", mid)
			p.mark("line", "class", "whisker", "x1", low, "x2", low, "y1", px(y+3), "y2", px(y+barHeight-3))
			p.mark("line", "class", "whisker", "x1", high, "x2", high, "y1", px(y+3), "y2", px(y+barHeight-3))
		}
		y += barHeight + barGap
	}
	return p.end()
}

func (b Bar) label() string {
	if b.interval() {
		return b.Label + ": " + value(b.Value) + " (" + value(b.Low) + " to " + value(b.High) + ")"
	}
	return b.Label + ": " + value(b.Value)
}

func (c Bars) scale() float64 {
	top := 0.0
	for _, b := range c.Items {
		top = math.Max(top, math.Max(finite(b.Value), finite(b.High)))
	}
	if top <= 0 {
		return 1
	}
	return top
}

func (c Bars) desc() string {
	if len(c.Items) == 0 {
		return describe(c.Desc, "There are no values.")
	}
	most := c.Items[0]
	for _, b := range c.Items {
		if b.Value > most.Value {
			most = b
		}
	}
	return describe(c.Desc, "%d bars, in %s. The longest is %s.", len(c.Items), orElse(c.Unit, "counts"), most.label())
}

// Data implements Chart.
func (c Bars) Data() Data {
	d := Data{Caption: c.Title, Columns: []string{orElse(c.Head, "Name"), title(orElse(c.Unit, "value"))}, Numeric: true}
	with := false
	for _, b := range c.Items {
		with = with || b.interval()
	}
	if with {
		d.Columns = append(d.Columns, "Low", "High")
	}
	for _, b := range c.Items {
		row := []string{b.Label, value(b.Value)}
		if with && b.interval() {
			row = append(row, value(b.Low), value(b.High))
		} else if with {
			row = append(row, "counted", "counted")
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// title is text with its first letter as a capital.
func title(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return string(text[0]-'a'+'A') + text[1:]
}
