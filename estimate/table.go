package estimate

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"
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
	mark := bufio.NewReader(r)
	start, _ := mark.Peek(len(NoiseMark))
	rows := csv.NewReader(mark)
	rows.Comment = '#'
	rows.FieldsPerRecord = -1
	rows.TrimLeadingSpace = true
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return Table{}, errors.New("line 1: no header; the first line names the lists and ends with \"count\"")
	}
	lists, err := readHeader(head)
	if err != nil {
		return Table{}, fmt.Errorf("line 1: %w", err)
	}
	var cells []Cell
	at := map[uint32]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			t, err := NewTable(lists, cells)
			t.Noised = string(start) == NoiseMark
			return t, err
		}
		if err != nil {
			return Table{}, fmt.Errorf("not a CSV file: %w", err)
		}
		line, _ := rows.FieldPos(0)
		c, err := readRow(row, lists)
		if err == nil && at[c.History] > 0 {
			err = fmt.Errorf("the same history as line %d; add the counts and keep one row", at[c.History])
		}
		if err != nil {
			return Table{}, fmt.Errorf("line %d: %w", line, err)
		}
		at[c.History] = line
		if c.History != 0 {
			cells = append(cells, c)
		}
	}
}

func readHeader(head []string) ([]string, error) {
	last := len(head) - 1
	if !strings.EqualFold(strings.TrimSpace(head[last]), "count") {
		return nil, errors.New("the last column must be named \"count\"; the others are the lists")
	}
	lists := make([]string, last)
	for i := range lists {
		lists[i] = strings.TrimSpace(strings.TrimPrefix(head[i], "\ufeff"))
	}
	return lists, checkLists(lists)
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
	case notNumber != nil && err != nil:
		return 0, fmt.Errorf("the count %q is not a number", clip(text))
	case f < 0:
		return 0, fmt.Errorf("the count %s is negative", clip(text))
	case f > MaxCount:
		return 0, fmt.Errorf("the count %s is above %d", clip(text), MaxCount)
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
