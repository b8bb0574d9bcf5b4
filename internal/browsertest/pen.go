package browsertest

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Pen writes payloads of the corpus into inputs, each time the next ones, and
// remembers what went where.
type Pen struct {
	Places []string                // the inputs, in order
	Wrote  map[string]map[int]bool // by input: which payloads
	next   int
	marks  map[string]string
	maybe  map[string]bool
}

// NewPen begins with this payload of the corpus.
func NewPen(from int) *Pen {
	return &Pen{next: from, marks: map[string]string{}, Wrote: map[string]map[int]bool{}, maybe: map[string]bool{}}
}

// Text is payloads for an input, up to a number of characters; plain leaves out
// those that are not one line of characters that show, where an input takes no
// others. The input must be shown by some page.
func (p *Pen) Text(input string, limit int, plain bool) string {
	if p.marks[input] == "" {
		p.marks[input], p.Wrote[input] = Mark(len(p.marks)), map[int]bool{}
		p.Places = append(p.Places, input)
	}
	var out []string
	used := 0
	for range Payloads {
		i := p.next % len(Payloads)
		one := Payloads[i].Put(p.marks[input])
		if len(one) <= limit && used+len(one) > limit || len(out) == 8 {
			break
		}
		p.next++
		if len(one) > limit || plain && !shows(one) {
			continue
		}
		out, used = append(out, one), used+len(one)+1
		p.Wrote[input][i] = true
	}
	return strings.Join(out, " ")
}

var mark = regexp.MustCompile(`px\d{3}q`)

func shows(text string) bool {
	return strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// Maybe is Text for an input that is refused, or that pages need not show.
func (p *Pen) Maybe(input string, limit int) string {
	p.maybe[input] = true
	return p.Text(input, limit, false)
}

// Shows reports whether a page holds the mark of any input: one that holds none
// shows nothing that was written, and need not be looked at.
func (p *Pen) Shows(page string) bool { return mark.MatchString(page) }

// Unseen reports inputs that no page showed, so that nothing is known of how
// they are shown. hidden says of some why none does.
func (p *Pen) Unseen(t testing.TB, pages string, hidden map[string]string) {
	t.Helper()
	for _, input := range p.Places {
		if seen := strings.Contains(pages, p.marks[input]); !seen && hidden[input] == "" && !p.maybe[input] {
			t.Errorf("%s: no page shows it, so nothing is known of how it is shown", input)
		}
	}
}
