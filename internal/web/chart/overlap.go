package chart

import (
	"html/template"
	"strings"
)

// Overlap shows how sets share their members (an UpSet plot, turned so that it
// fits a narrow page): one row for each combination of sets, a filled dot for
// each set that is in it, and a bar for how many are in exactly these.
type Overlap struct {
	Title string
	Desc  string
	Unit  string   // "subjects"
	Sets  []string // at most twelve: names, lettered A, B, C in the drawing
	Items []Combination
}

// Combination is a number of members that are in exactly the marked sets.
type Combination struct {
	In    []bool // one for each set
	Count float64
	Note  string // in place of the count where it is withheld: "fewer than 10"
}

func (c Combination) in(i int) bool { return i < len(c.In) && c.In[i] }

func (c Combination) count() string {
	if c.Note != "" {
		return c.Note
	}
	return value(c.Count)
}

const dotStep = 22.0

// SVG implements Chart.
func (c Overlap) SVG() template.HTML {
	most := 1.0
	for _, i := range c.Items {
		most = max(most, finite(i.Count))
	}
	legend := float64(len(c.Sets)) * lineHeight
	var p pen
	p.begin("overlap", c.Title, c.desc(), "width", "100%", "height", px(legend+float64(len(c.Items))*46+30))
	y := 0.0
	for i, name := range c.Sets {
		p.text(letter(i)+"  "+clip(name, labelWidth-3), "class", "label", "x", "0", "y", px(y+13))
		y += lineHeight
	}
	y += 22
	for i := range c.Sets {
		p.text(letter(i), "class", "tick", "x", px(10+dotStep*float64(i)), "y", px(y), "text-anchor", "middle")
	}
	y += 8
	for _, item := range c.Items {
		c.row(&p, item, y, finite(item.Count)/most*100)
		y += 46
	}
	return p.end()
}

func (c Overlap) row(p *pen, item Combination, y, share float64) {
	first, last := -1, -1
	for i := range c.Sets {
		if item.in(i) && first < 0 {
			first = i
		}
		if item.in(i) {
			last = i
		}
	}
	if last > first {
		p.mark("line", "class", "whisker", "x1", px(10+dotStep*float64(first)), "x2", px(10+dotStep*float64(last)), "y1", px(y+9), "y2", px(y+9))
	}
	for i := range c.Sets {
		class := "hole"
		if item.in(i) {
			class = "dot"
		}
		p.mark("circle", "class", class, "cx", px(10+dotStep*float64(i)), "cy", px(y+9), "r", "6")
	}
	p.text(item.count(), "class", "label", "x", px(8+dotStep*float64(len(c.Sets))), "y", px(y+14))
	p.mark("rect", "class", "track", "x", "0", "width", "100%", "y", px(y+22), "height", "12")
	if item.Note == "" {
		p.mark("rect", "class", "bar", "x", "0", "width", pct(max(share, 0)), "y", px(y+22), "height", "12")
	}
}

// letter is A, B, C for a set.
func letter(i int) string { return string(rune('A' + i%26)) }

func (c Overlap) names(item Combination) string {
	var names []string
	for i, name := range c.Sets {
		if item.in(i) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none of them"
	}
	return strings.Join(names, " and ")
}

func (c Overlap) desc() string {
	if len(c.Items) == 0 {
		return describe(c.Desc, "There are no combinations.")
	}
	most := c.Items[0]
	for _, item := range c.Items {
		if item.Note == "" && item.Count > most.Count {
			most = item
		}
	}
	return describe(c.Desc, "%d combinations of %d sets. The largest is %s: %s.", len(c.Items), len(c.Sets), c.names(most), most.count())
}

// Data implements Chart.
func (c Overlap) Data() Data {
	d := Data{Caption: c.Title, Columns: []string{"In exactly", title(orElse(c.Unit, "count"))}, Numeric: true}
	for _, item := range c.Items {
		d.Rows = append(d.Rows, []string{c.names(item), item.count()})
	}
	return d
}
