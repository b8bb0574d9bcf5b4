package chart

import (
	"html/template"
	"math"
)

// Intervals are estimates as dots on their intervals. There is no chart of bare
// points.
type Intervals struct {
	Title string
	Desc  string
	Unit  string
	Head  string  // heads the column of labels in the table; empty: "Estimate"
	Level string  // "95 % interval"
	Mark  float64 // a reference value drawn as a line across; used when MarkLabel is set
	// MarkLabel says what the reference is: "no displacement". It is part of the
	// description and the table.
	MarkLabel string
	Items     []Interval
}

// Interval is an estimate. A Refused one has no numbers and says why.
type Interval struct {
	Label   string
	Low     float64
	Mid     float64
	High    float64 // +Inf: no upper limit
	Refused string  // "cannot be told from these overlaps"
}

func (i Interval) label() string {
	if i.Refused != "" {
		return i.Label + ": " + i.Refused
	}
	return i.Label + ": " + value(i.Mid) + " (" + i.words() + ")"
}

func (i Interval) words() string {
	if math.IsInf(i.High, 1) {
		return value(i.Low) + " or more"
	}
	return value(i.Low) + " to " + value(i.High)
}

// SVG implements Chart.
func (c Intervals) SVG() template.HTML {
	s := c.scale()
	bottom := 4.0
	for _, i := range c.Items {
		bottom += float64(len(wrap(i.label(), labelWidth))*lineHeight + 26)
	}
	var p pen
	p.begin("intervals", c.Title, c.desc(), "width", "100%", "height", px(bottom+60))
	y := 4.0
	for _, i := range c.Items {
		for _, line := range wrap(i.label(), labelWidth) {
			p.text(line, "class", "label", "x", "0", "y", px(y+13))
			y += lineHeight
		}
		// The lines across stop at the letters, which stay readable.
		p.grid(s, y, y+18)
		if c.MarkLabel != "" {
			x := pct(s.at(c.Mark))
			p.mark("line", "class", "reference", "x1", x, "x2", x, "y1", px(y), "y2", px(y+18))
		}
		if i.Refused == "" {
			c.draw(&p, s, i, y+9)
		}
		y += 26
	}
	p.axis(s, bottom, c.unit())
	if c.MarkLabel != "" {
		p.text("Dashed line: "+clip(c.MarkLabel, 30)+", "+value(c.Mark), "class", "tick", "x", "0", "y", px(bottom+52))
	}
	return p.end()
}

func (c Intervals) draw(p *pen, s scale, i Interval, y float64) {
	low, high := s.at(i.Low), 100.0
	if !math.IsInf(i.High, 1) {
		high = s.at(i.High)
	}
	p.mark("line", "class", "range", "x1", pct(low), "x2", pct(high), "y1", px(y), "y2", px(y))
	p.mark("line", "class", "whisker", "x1", pct(low), "x2", pct(low), "y1", px(y-5), "y2", px(y+5))
	if !math.IsInf(i.High, 1) {
		p.mark("line", "class", "whisker", "x1", pct(high), "x2", pct(high), "y1", px(y-5), "y2", px(y+5))
	}
	p.mark("circle", "class", "dot", "cx", pct(s.at(i.Mid)), "cy", px(y), "r", "5")
}

func (c Intervals) scale() scale {
	values := []float64{}
	if c.MarkLabel != "" {
		values = append(values, c.Mark)
	}
	for _, i := range c.Items {
		if i.Refused == "" {
			values = append(values, i.Low, i.Mid, i.High)
		}
	}
	return scaleOver(values...)
}

func (c Intervals) unit() string {
	if c.Level == "" {
		return c.Unit
	}
	if c.Unit == "" {
		return c.Level
	}
	return c.Unit + ", " + c.Level
}

func (c Intervals) desc() string {
	text := ""
	for n, i := range c.Items {
		if n > 0 {
			text += "; "
		}
		text += i.label()
	}
	if c.MarkLabel != "" {
		text += ". The line stands at " + value(c.Mark) + ", " + c.MarkLabel
	}
	if len(c.Items) == 0 {
		text = "There are no estimates"
	}
	return describe(c.Desc, "%s.", text)
}

// Data implements Chart.
func (c Intervals) Data() Data {
	d := Data{Caption: c.Title, Columns: []string{orElse(c.Head, "Estimate"), "Low", "Middle", "High"}, Numeric: true}
	for _, i := range c.Items {
		if i.Refused != "" {
			d.Rows = append(d.Rows, []string{i.Label, i.Refused, "", ""})
			continue
		}
		d.Rows = append(d.Rows, []string{i.Label, value(i.Low), value(i.Mid), value(i.High)})
	}
	if c.MarkLabel != "" {
		d.Rows = append(d.Rows, []string{"The line: " + c.MarkLabel, "", value(c.Mark), ""})
	}
	return d
}
