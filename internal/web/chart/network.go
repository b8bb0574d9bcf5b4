package chart

import (
	"html/template"
	"math"
	"strconv"
)

// Network is a small graph: some twenty nodes at most, since beyond that a
// table says more. Nodes stand on a circle, in an order that keeps linked ones
// close; the drawing is the same for the same input.
type Network struct {
	Title string
	Desc  string
	Nodes []Node
	Edges []Edge
}

// Node is a point of a Network. Its kind picks one of four shapes.
type Node struct {
	ID    string
	Label string // short: it stands beside the node
	Kind  string // in words, for the table and the legend
}

// Edge joins two nodes. Its kind picks one of four line styles.
type Edge struct {
	From, To string // node ids; an edge to an unknown node is not drawn
	Kind     string // "money", "access"
	Directed bool
	Note     string // for the table: amount band, sources
}

const (
	netSize   = 400.0 // the drawing's own units; scaled to the page
	netRadius = 120.0
)

// SVG implements Chart.
func (c Network) SVG() template.HTML {
	nodeKinds, edgeKinds := kinds(c.nodeKinds()), kinds(c.edgeKinds())
	height := netSize - 60 + 22*float64(len(nodeKinds)+len(edgeKinds))
	var p pen
	p.begin("network", c.Title, c.desc(), "viewBox", "0 0 "+px(netSize)+" "+px(height))
	p.b.WriteString(`<defs><marker id="` + c.marker() + `" class="arrow" viewBox="0 0 8 8" refX="7" refY="4" ` +
		`markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>`)
	at := c.place()
	for _, e := range c.Edges {
		from, ok := at[e.From]
		to, there := at[e.To]
		if ok && there {
			c.edge(&p, e, from, to, edgeKinds)
		}
	}
	for _, n := range c.Nodes {
		spot := at[n.ID]
		node(&p, spot.x, spot.y, nodeKinds[n.Kind])
		c.label(&p, n, spot)
	}
	c.legend(&p, nodeKinds, edgeKinds)
	return p.end()
}

// marker is the id of the arrow head, unlike that of another network's.
func (c Network) marker() string {
	sum := uint32(2166136261)
	for _, b := range []byte(c.Title) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	return "arrow-" + strconv.FormatUint(uint64(sum), 36)
}

func (c Network) edge(p *pen, e Edge, from, to spot, edgeKinds map[string]int) {
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	if length < 1 {
		return
	}
	// Stop short of the node so that the arrow head is seen.
	gap := 12.0
	attrs := []string{"class", "edge edge-" + strconv.Itoa(edgeKinds[e.Kind]%4+1),
		"x1", px(from.x + dx/length*gap), "y1", px(from.y + dy/length*gap),
		"x2", px(to.x - dx/length*gap), "y2", px(to.y - dy/length*gap)}
	if e.Directed {
		attrs = append(attrs, "marker-end", "url(#"+c.marker()+")")
	}
	p.mark("line", attrs...)
}

// label stands outside the circle, on the node's side of it.
func (c Network) label(p *pen, n Node, at spot) {
	anchor, x, y := "middle", at.x, at.y+26
	cos, sin := math.Cos(at.angle), math.Sin(at.angle)
	switch {
	case cos > 0.3:
		anchor, x, y = "start", at.x+14, at.y+4
	case cos < -0.3:
		anchor, x, y = "end", at.x-14, at.y+4
	case sin < 0:
		y = at.y - 16
	}
	p.text(clip(n.Label, 12), "class", "label halo", "x", px(x), "y", px(y), "text-anchor", anchor)
}

// node draws one of four shapes, so that kinds differ without colour too.
func node(p *pen, x, y float64, kind int) {
	class := "node node-" + strconv.Itoa(kind%4+1)
	switch kind % 4 {
	case 0:
		p.mark("circle", "class", class, "cx", px(x), "cy", px(y), "r", "8")
	case 1:
		p.mark("rect", "class", class, "x", px(x-7), "y", px(y-7), "width", "14", "height", "14")
	case 2:
		p.mark("path", "class", class, "d", "M"+px(x)+" "+px(y-9)+"l9 16h-18z")
	default:
		p.mark("path", "class", class, "d", "M"+px(x)+" "+px(y-10)+"l10 10-10 10-10-10z")
	}
}

func (c Network) legend(p *pen, nodeKinds, edgeKinds map[string]int) {
	y := netSize - 50
	for _, kind := range ordered(nodeKinds) {
		node(p, 24, y, nodeKinds[kind])
		p.text(orElse(kind, "Node"), "class", "label", "x", "46", "y", px(y+5))
		y += 22
	}
	for _, kind := range ordered(edgeKinds) {
		p.mark("line", "class", "edge edge-"+strconv.Itoa(edgeKinds[kind]%4+1), "x1", "10", "x2", "38", "y1", px(y), "y2", px(y))
		p.text(orElse(kind, "Link"), "class", "label", "x", "46", "y", px(y+5))
		y += 22
	}
}

func (c Network) desc() string {
	return describe(c.Desc, "%d nodes and %d links between them; all of them are in the table.", len(c.Nodes), len(c.Edges))
}

// Data implements Chart: the links, then the nodes that have none.
func (c Network) Data() Data {
	d := Data{Caption: c.Title, Columns: []string{"From", "Link", "To", "Note"}}
	names, linked := map[string]string{}, map[string]bool{}
	for _, n := range c.Nodes {
		names[n.ID] = n.Label
		if n.Kind != "" {
			names[n.ID] += " (" + n.Kind + ")"
		}
	}
	for _, e := range c.Edges {
		linked[e.From], linked[e.To] = true, true
		d.Rows = append(d.Rows, []string{orElse(names[e.From], "not shown"), e.Kind, orElse(names[e.To], "not shown"), e.Note})
	}
	for _, n := range c.Nodes {
		if !linked[n.ID] {
			d.Rows = append(d.Rows, []string{names[n.ID], "none", "", ""})
		}
	}
	return d
}

func (c Network) nodeKinds() []string {
	out := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		out[i] = n.Kind
	}
	return out
}

func (c Network) edgeKinds() []string {
	out := make([]string, len(c.Edges))
	for i, e := range c.Edges {
		out[i] = e.Kind
	}
	return out
}

// kinds numbers the different words in the order in which they first come.
func kinds(words []string) map[string]int {
	out := map[string]int{}
	for _, w := range words {
		if _, seen := out[w]; !seen {
			out[w] = len(out)
		}
	}
	return out
}

func ordered(kinds map[string]int) []string {
	out := make([]string, len(kinds))
	for word, i := range kinds {
		out[i] = word
	}
	return out
}
