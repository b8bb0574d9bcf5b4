package chart

import (
	"html/template"
	"strings"
)

// Line is a series over time with its interval as a band. Points stand at equal
// distances; a point without a value leaves a gap.
type Line struct {
	Title  string
	Desc   string
	Unit   string
	Head   string // heads the column of points in the table; empty: "When"
	Level  string // "95 % interval"; empty: the points are counts, without a band
	Points []Point
	Mark   int // index of the point at which a reference line stands; used when MarkLabel is set
	// MarkLabel says what happened there: "intervention".
	MarkLabel string
}

// Point is one value of a Line.
type Point struct {
	Label   string
	Value   float64
	Low     float64
	High    float64
	Missing bool
}

const (
	lineTop    = 54.0
	lineBottom = 230.0
	lineSpan   = 1000.0 // units across; stretched to the page's width
)

// SVG implements Chart. The curve is drawn in a stretched inner drawing whose
// lines keep their width; the letters are outside it and keep their shape.
func (c Line) SVG() template.HTML {
	s := c.scale()
	var p pen
	p.begin("line", c.Title, c.desc(), "width", "100%", "height", px(lineBottom+28))
	for _, tick := range s.ticks() {
		y := c.y(s, tick)
		p.mark("line", "class", "grid", "x1", "0", "x2", "100%", "y1", px(y), "y2", px(y))
	}
	p.open("svg", "x", "0", "y", "0", "width", "100%", "height", px(lineBottom), "viewBox", "0 0 1000 "+px(lineBottom),
		"preserveAspectRatio", "none", "aria-hidden", "true")
	for _, run := range c.runs() {
		if c.Level != "" {
			p.mark("path", "class", "band", "d", c.band(s, run))
		}
		p.mark("path", "class", "path", "vector-effect", "non-scaling-stroke", "d", c.curve(s, run))
	}
	p.close("svg")
	for _, run := range c.runs() {
		if len(run) == 1 {
			c.lone(&p, s, run[0])
		}
	}
	c.letters(&p, s)
	return p.end()
}

// lone draws a point between two gaps, which a curve would not show.
func (c Line) lone(p *pen, s scale, i int) {
	x := pct(c.x(i) / lineSpan * 100)
	if c.Level != "" {
		p.mark("line", "class", "whisker", "x1", x, "x2", x, "y1", px(c.y(s, c.Points[i].Low)), "y2", px(c.y(s, c.Points[i].High)))
	}
	p.mark("circle", "class", "dot", "cx", x, "cy", px(c.y(s, c.Points[i].Value)), "r", "4")
}

func (c Line) letters(p *pen, s scale) {
	p.text(c.heading(), "class", "tick", "x", "0", "y", "12")
	for i, tick := range s.ticks() {
		if i%2 == 0 {
			p.text(value(tick), "class", "tick halo", "x", "0", "y", px(c.y(s, tick)-4))
		}
	}
	if c.MarkLabel != "" && c.Mark >= 0 && c.Mark < len(c.Points) {
		x := c.x(c.Mark) / lineSpan * 100
		p.mark("line", "class", "reference", "x1", pct(x), "x2", pct(x), "y1", "34", "y2", px(lineBottom))
		p.text(c.MarkLabel, "class", "tick halo", "x", pct(x), "y", "30", "text-anchor", pick(x > 50, "end", "start"))
	}
	last := len(c.Points) - 1
	if last < 0 {
		return
	}
	p.text(c.Points[0].Label, "class", "tick", "x", "0", "y", px(lineBottom+18), "text-anchor", "start")
	if last > 1 {
		middle := last / 2
		p.text(c.Points[middle].Label, "class", "tick", "x", pct(c.x(middle)/lineSpan*100), "y", px(lineBottom+18), "text-anchor", "middle")
	}
	if last > 0 {
		p.text(c.Points[last].Label, "class", "tick", "x", "100%", "y", px(lineBottom+18), "text-anchor", "end")
	}
}

// heading says what the heights are.
func (c Line) heading() string {
	if c.Level == "" {
		return c.Unit
	}
	return orElse(c.Unit, "value") + ", with " + c.Level
}

func (c Line) x(i int) float64 {
	if len(c.Points) < 2 {
		return lineSpan / 2
	}
	return lineSpan * float64(i) / float64(len(c.Points)-1)
}

func (c Line) y(s scale, v float64) float64 {
	return lineBottom - (min(max(finite(v), s.low), s.high)-s.low)/(s.high-s.low)*(lineBottom-lineTop)
}

// runs are the stretches of points without a gap.
func (c Line) runs() [][]int {
	var out [][]int
	var run []int
	for i, p := range c.Points {
		if p.Missing {
			if len(run) > 0 {
				out = append(out, run)
			}
			run = nil
			continue
		}
		run = append(run, i)
	}
	if len(run) > 0 {
		out = append(out, run)
	}
	return out
}

func (c Line) curve(s scale, run []int) string {
	var b strings.Builder
	for n, i := range run {
		b.WriteString(pick(n == 0, "M", "L") + px(c.x(i)) + " " + px(c.y(s, c.Points[i].Value)))
	}
	return b.String()
}

func (c Line) band(s scale, run []int) string {
	var b strings.Builder
	for n, i := range run {
		b.WriteString(pick(n == 0, "M", "L") + px(c.x(i)) + " " + px(c.y(s, c.Points[i].High)))
	}
	for n := len(run) - 1; n >= 0; n-- {
		b.WriteString("L" + px(c.x(run[n])) + " " + px(c.y(s, c.Points[run[n]].Low)))
	}
	return b.String() + "Z"
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func (c Line) scale() scale {
	var values []float64
	for _, p := range c.Points {
		if !p.Missing {
			values = append(values, p.Low, p.Value, p.High)
		}
	}
	return scaleOver(values...)
}

func (c Line) desc() string {
	runs := c.runs()
	if len(runs) == 0 {
		return describe(c.Desc, "There are no values.")
	}
	last := runs[len(runs)-1]
	from, to := c.Points[runs[0][0]], c.Points[last[len(last)-1]]
	return describe(c.Desc, "From %s in %s to %s in %s, %s.", value(from.Value), from.Label, value(to.Value), to.Label, orElse(c.Unit, "counts"))
}

// Data implements Chart.
func (c Line) Data() Data {
	d := Data{Caption: c.Title, Columns: []string{orElse(c.Head, "When"), title(orElse(c.Unit, "value"))}, Numeric: true}
	if c.Level != "" {
		d.Columns = append(d.Columns, "Low", "High")
	}
	for i, p := range c.Points {
		label := p.Label
		if c.MarkLabel != "" && i == c.Mark {
			label += " (" + c.MarkLabel + ")"
		}
		row := []string{label, value(p.Value)}
		if p.Missing {
			row[1] = "not known"
		}
		if c.Level != "" && p.Missing {
			row = append(row, "", "")
		} else if c.Level != "" {
			row = append(row, value(p.Low), value(p.High))
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}
