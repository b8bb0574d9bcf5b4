package estimate

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"parallax/estimate/csvtext"
)

// Bounds of a table. More lists than this make 2^k cells that no published
// method was meant for; a larger count is more likely a slip than a table.
const (
	MaxLists = 16
	MaxCount = 1_000_000_000
)

// A Cell counts the records that stand on exactly the lists of History.
type Cell struct {
	History uint32
	Count   int
}

// A Table is a capture table: the lists, and the cells with a positive count in
// ascending order of history. The cell of no list is not in it.
type Table struct {
	Lists  []string
	Cells  []Cell
	Noised bool // the counts carry privacy noise; nothing is estimated from them
}

// NoiseMark begins the first line of every file whose counts carry privacy
// noise, so that nobody estimates from them unawares.
const NoiseMark = "# privacy noise"

// NewTable checks and orders cells; cells that count nothing are left out.
func NewTable(lists []string, cells []Cell) (Table, error) {
	if err := checkLists(lists); err != nil {
		return Table{}, err
	}
	t := Table{Lists: slices.Clone(lists)}
	seen := map[uint32]bool{}
	for _, c := range cells {
		switch {
		case c.History == 0 || c.History >= 1<<len(lists):
			return Table{}, fmt.Errorf("history %b does not fit %d lists", c.History, len(lists))
		case seen[c.History]:
			return Table{}, fmt.Errorf("history %s is given twice", t.Bits(c.History))
		case c.Count < 0 || c.Count > MaxCount:
			return Table{}, fmt.Errorf("history %s: the count %d is not between 0 and %d", t.Bits(c.History), c.Count, MaxCount)
		}
		seen[c.History] = true
		if c.Count > 0 {
			t.Cells = append(t.Cells, c)
		}
	}
	if len(t.Cells) == 0 {
		return Table{}, errors.New("the table counts nothing: every cell is zero or there is no row")
	}
	slices.SortFunc(t.Cells, func(a, b Cell) int { return cmp.Compare(a.History, b.History) })
	return t, nil
}

func checkLists(lists []string) error {
	switch {
	case len(lists) < 2:
		return fmt.Errorf("%d list: hidden numbers are estimated from overlaps, so at least two lists are needed", len(lists))
	case len(lists) > MaxLists:
		return fmt.Errorf("%d lists: at most %d can be estimated; merge lists that serve the same people or drop the smallest", len(lists), MaxLists)
	}
	for i, name := range lists {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("column %d has no name", i+1)
		}
		if slices.Contains(lists[:i], name) {
			return fmt.Errorf("list %q is named twice", name)
		}
	}
	return nil
}

// K is the number of lists.
func (t Table) K() int { return len(t.Lists) }

// N is the number of records seen on any list.
func (t Table) N() (n int) {
	for _, c := range t.Cells {
		n += c.Count
	}
	return n
}

// Bits writes a history as one digit per list, in the order of the lists.
func (t Table) Bits(history uint32) string {
	out := make([]byte, len(t.Lists))
	for j := range out {
		out[j] = '0' + byte(history>>j&1)
	}
	return string(out)
}

// On counts the records that stand on all lists of a mask.
func (t Table) On(mask uint32) (n int) {
	for _, c := range t.Cells {
		if c.History&mask == mask {
			n += c.Count
		}
	}
	return n
}

// OnAtLeast counts the records that stand on m lists or more.
func (t Table) OnAtLeast(m int) (n int) {
	for _, c := range t.Cells {
		if bits.OnesCount32(c.History) >= m {
			n += c.Count
		}
	}
	return n
}

// Frequencies counts the records by the number of lists they stand on; index 0
// is unused.
func (t Table) Frequencies() []int {
	f := make([]int, len(t.Lists)+1)
	for _, c := range t.Cells {
		f[bits.OnesCount32(c.History)] += c.Count
	}
	return f
}

// mapped counts the same records under other histories; what maps to no list is
// dropped.
func (t Table) mapped(lists []string, to func(uint32) uint32) Table {
	sum := map[uint32]int{}
	for _, c := range t.Cells {
		if h := to(c.History); h != 0 {
			sum[h] += c.Count
		}
	}
	out := Table{Lists: lists}
	for h, n := range sum {
		out.Cells = append(out.Cells, Cell{h, n})
	}
	slices.SortFunc(out.Cells, func(a, b Cell) int { return cmp.Compare(a.History, b.History) })
	return out
}

// squeeze takes bit j out of a mask.
func squeeze(mask uint32, j int) uint32 { return mask&(1<<j-1) | mask>>(j+1)<<j }

// Without leaves list j out; who stood on it alone is no longer seen.
func (t Table) Without(j int) Table {
	return t.mapped(slices.Delete(slices.Clone(t.Lists), j, j+1), func(h uint32) uint32 { return squeeze(h, j) })
}

// Inside looks only at who stands on list j, through the other lists. What the
// others miss is known: it is the part of list j that stands on no other.
func (t Table) Inside(j int) Table {
	return t.mapped(slices.Delete(slices.Clone(t.Lists), j, j+1), func(h uint32) uint32 {
		if h>>j&1 == 0 {
			return 0
		}
		return squeeze(h, j)
	})
}

// Merged makes one list of lists i < j.
func (t Table) Merged(i, j int) Table {
	lists := slices.Delete(slices.Clone(t.Lists), j, j+1)
	lists[i] = t.Lists[i] + "+" + t.Lists[j]
	return t.mapped(lists, func(h uint32) uint32 { return squeeze(h|h>>j&1<<i, j) })
}

// ReadCSV reads a table: a header with the names of the lists and then "count",
// and one row of 0s and 1s and a whole number for each history. Errors name the
// line and say how to mend it.
func ReadCSV(r io.Reader) (Table, error) {
	rows, head, noised, err := openTable(r)
	if err != nil {
		return Table{}, err
	}
	lists, err := readHeader(head)
	if err != nil {
		return Table{}, fmt.Errorf("line 1: %w", err)
	}
	var cells []Cell
	at := map[uint32]int{}
	err = csvtext.Each(rows, func(line int, row []string) error {
		c, err := readRow(row, lists)
		if err == nil && at[c.History] > 0 {
			err = fmt.Errorf("the same history as line %d; add the counts and keep one row", at[c.History])
		}
		at[c.History] = line
		if err == nil && c.History != 0 {
			cells = append(cells, c)
		}
		return err
	})
	if err != nil {
		return Table{}, err
	}
	t, err := NewTable(lists, cells)
	t.Noised = noised
	return t, err
}

// openTable reads up to the header. Lines that begin with # are remarks; the
// first of them may say that the counts carry noise.
func openTable(r io.Reader) (rows *csv.Reader, head []string, noised bool, err error) {
	text, err := csvtext.Read(r)
	if err != nil {
		return nil, nil, false, err
	}
	rows = csvtext.Rows(text)
	rows.Comment = '#'
	head, err = csvtext.Header(rows, "the first line names the lists and ends with \"count\"")
	return rows, head, bytes.HasPrefix(text, []byte(NoiseMark)), err
}

func readHeader(head []string) ([]string, error) {
	lists := make([]string, len(head))
	for i := range head {
		lists[i] = strings.TrimSpace(head[i])
	}
	last := len(lists) - 1
	isCount := func(name string) bool { return strings.EqualFold(name, "count") }
	switch {
	case isCount(lists[last]):
	case slices.ContainsFunc(lists, isCount):
		return nil, errors.New("the column \"count\" must be the last; move it behind the lists")
	default:
		return nil, fmt.Errorf("the last column is %q and must be named \"count\"; the others are the lists", clip(lists[last]))
	}
	return lists[:last], checkLists(lists[:last])
}

func readRow(row, lists []string) (c Cell, err error) {
	if len(row) != len(lists)+1 {
		return c, fmt.Errorf("%d fields, but the header has %d", len(row), len(lists)+1)
	}
	for j, name := range lists {
		switch strings.TrimSpace(row[j]) {
		case "0":
		case "1":
			c.History |= 1 << j
		default:
			return c, fmt.Errorf("column %s holds %q; write 1 for on the list and 0 for not", name, clip(row[j]))
		}
	}
	c.Count, err = readCount(strings.TrimSpace(row[len(lists)]))
	if err == nil && c.History == 0 && c.Count != 0 {
		err = errors.New("a row of zeros counts who stands on no list; that is what is estimated, so take the row out")
	}
	return c, err
}

func readCount(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && n >= 0 && n <= MaxCount {
		return int(n), nil
	}
	f, notNumber := strconv.ParseFloat(text, 64)
	switch {
	case notNumber != nil && err != nil || math.IsNaN(f):
		return 0, fmt.Errorf("the count %q is not a number", clip(text))
	case f < 0:
		return 0, fmt.Errorf("the count %s is negative", clip(text))
	case f > MaxCount:
		return 0, fmt.Errorf("the count %s is above %d", clip(text), MaxCount)
	case f == math.Trunc(f):
		return 0, fmt.Errorf("the count %s must be written in digits alone, as %.0f", clip(text), f)
	}
	return 0, fmt.Errorf("the count %s is not a whole number; records are counted, not weighted", clip(text))
}

// clip keeps a message short whatever a file holds.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
