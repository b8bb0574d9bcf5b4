package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files from what is drawn now")

func examples() map[string]Chart {
	return map[string]Chart{
		"bars": Bars{Title: "Barriers by organisations blocked", Unit: "organisations", Head: "Barrier", Items: []Bar{
			{Label: "No lawful road from a payment service to a platform", Value: 12}, {Label: "Definitions differ", Value: 7, Low: 5, High: 10},
			{Label: "No answer comes back", Value: 0}}},
		"bars-empty": Bars{Title: "Nothing yet"},
		"intervals": Intervals{Title: "Estimated number of networks", Unit: "networks", Level: "95 % interval", Mark: 100, MarkLabel: "seen so far",
			Items: []Interval{{Label: "Model A", Low: 120, Mid: 180, High: 260}, {Label: "Lower bound", Low: 110, Mid: 140, High: math.Inf(1)},
				{Label: "Payments only", Refused: "cannot be told from these overlaps"}}},
		"intervals-negative": Intervals{Title: "Displacement", Items: []Interval{{Label: "Venue 1", Low: -0.4, Mid: 0.1, High: 0.6}}},
		"line": Line{Title: "New observations each week", Unit: "observations", Level: "95 % interval", Mark: 1, MarkLabel: "intervention",
			Points: []Point{{Label: "5 Jan", Value: 40, Low: 31, High: 52}, {Label: "12 Jan", Value: 44, Low: 33, High: 58}, {Label: "19 Jan", Missing: true},
				{Label: "26 Jan", Value: 21, Low: 14, High: 30}}},
		"line-empty": Line{Title: "Nothing yet"},
		"overlap": Overlap{Title: "How sources overlap", Unit: "subjects", Sets: []string{"Banks", "Platforms"}, Items: []Combination{
			{In: []bool{true, false}, Count: 120}, {In: []bool{true, true}, Note: "fewer than 10"}, {}}},
		"network": Network{Title: "How value moves", Nodes: []Node{{ID: "a", Label: "Token 4F", Kind: "buyer"}, {ID: "b", Label: "Token 9C", Kind: "broker"},
			{ID: "c", Label: "Token 1D", Kind: "buyer"}, {ID: "d", Label: "Alone"}},
			Edges: []Edge{{From: "a", To: "b", Kind: "money", Directed: true}, {From: "b", To: "c", Kind: "trade"}, {From: "a", To: "gone", Kind: "money"}}},
		"hostile": Network{Title: `</title><script>x</script>`, Desc: `" onload="x`, Nodes: []Node{{ID: "a", Label: `<b>&"'`, Kind: `"><i>`}}},
	}
}

// The drawings are as they were looked at. After a change that is meant, run
// the test with -update and look at them again.
func TestGolden(t *testing.T) {
	for name, c := range examples() {
		got := []byte(c.SVG())
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is drawn differently:\n%s", name, got)
		}
	}
}

// Every drawing is well formed, named, described and free of anything that the
// content security policy would refuse.
func TestDrawings(t *testing.T) {
	for name, c := range examples() {
		svg := c.SVG()
		for _, want := range []string{`role="img"`, "<title>", "<desc>", `aria-label="`} {
			if !strings.Contains(string(svg), want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		if err := wellFormed(svg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if second := c.SVG(); second != svg {
			t.Errorf("%s is drawn differently the second time", name)
		}
		d := c.Data()
		if d.Caption == "" || len(d.Columns) < 2 {
			t.Errorf("%s: the table has no caption or columns", name)
		}
		for _, row := range d.Rows {
			if len(row) != len(d.Columns) {
				t.Errorf("%s: a row of %d cells under %d columns", name, len(row), len(d.Columns))
			}
		}
	}
}

func wellFormed(svg template.HTML) error {
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "script" || start.Name.Local == "style" {
			return errors.New("there is a " + start.Name.Local)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
				return errors.New("there is a " + a.Name.Local + " attribute")
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				return errors.New(a.Name.Local + " is " + a.Value)
			}
		}
	}
}

// An interval is in the table whenever it is in the drawing, and a refusal is
// never a number.
func TestIntervalsInTables(t *testing.T) {
	d := examples()["intervals"].Data()
	for i, want := range []string{"Model A|120|180|260", "Lower bound|110|140|no limit", "Payments only|cannot be told from these overlaps||"} {
		if got := strings.Join(d.Rows[i], "|"); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", -7: "-7", 999: "999", 1000: "1,000", -1234567: "-1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s", n, got)
		}
	}
	for v, want := range map[float64]string{0.12345: "0.123", 12: "12", 1234.5: "1,235", math.Inf(1): "no limit"} {
		if got := value(v); got != want {
			t.Errorf("value(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("word ", 40), strings.Repeat("x", 200)} {
		lines := wrap(text, 20)
		if len(lines) > 2 {
			t.Errorf("%q: %d lines", text, len(lines))
		}
		for _, l := range lines {
			if len([]rune(l)) > 20 {
				t.Errorf("%q is too long", l)
			}
		}
	}
}

// Linked nodes end up nearer to each other than in the given order.
func TestPlacePullsLinksTogether(t *testing.T) {
	var c Network
	for _, id := range strings.Split("abcdefgh", "") {
		c.Nodes = append(c.Nodes, Node{ID: id})
	}
	seats := []int{0, 1, 2, 3, 4, 5, 6, 7}
	links := [][2]int{{0, 4}, {4, 1}, {1, 5}, {5, 2}}
	before := length(seats, links)
	for improve(seats, links) {
	}
	if after := length(seats, links); after > before/2 {
		t.Errorf("links span %d, then %d", before, after)
	}
	if at := c.place(); len(at) != 8 {
		t.Errorf("%d places", len(at))
	}
}
