package desk

import (
	"fmt"
	"io"
	"time"

	"parallax/selector"
)

// maxIssues bounds the issues that a report lists; all are counted.
const maxIssues = 1000

// A Report says what a file would contribute and what not, and why. It holds
// no selector value.
type Report struct {
	Format       string                   `json:"format"`
	Mapping      Mapping                  `json:"mapping"`
	Guessed      bool                     `json:"guessed"`
	Rows         int                      `json:"rows"`
	Observations int                      `json:"observations"`
	Classes      []ClassCount             `json:"classes"`
	Reasons      map[string]int           `json:"reasons"` // issues by code
	Issues       []Issue                  `json:"issues"`  // the first 1,000
	MoreIssues   int                      `json:"more_issues"`
	counts       map[selector.Class]Count // by class
}

// ClassCount is the count of one class.
type ClassCount struct {
	Class selector.Class `json:"class"`
	Label string         `json:"label"`
	Count
}

// Clean reports that nothing was refused or stopped.
func (r Report) Clean() bool { return len(r.Issues) == 0 }

// OpenSource opens an input as a source; close the reader when done.
func OpenSource(in Input) (*Source, io.Closer, error) {
	f, err := in.Open()
	if err != nil {
		return nil, nil, err
	}
	s, err := NewSource(f, in.Name())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return s, f, nil
}

// GuessFile proposes a mapping for a file.
func GuessFile(in Input) (Mapping, error) {
	s, f, err := OpenSource(in)
	if err != nil {
		return Mapping{}, err
	}
	defer f.Close()
	m, err := GuessMapping(s)
	if err == nil && len(m.Columns) == 0 {
		err = invalid("no column of %s looks like a selector; write a mapping file (columns found: %q)", in.Name(), s.Columns)
	}
	return m, err
}

// Check reads a whole file through a mapping, nil to guess one, in bounded
// memory. progress, if not nil, is called now and then with the rows so far; an
// error of its stops the reading.
func Check(in Input, m *Mapping, today time.Time, progress func(rows int) error) (Report, error) {
	rep := Report{Reasons: make(map[string]int), Issues: []Issue{}, counts: make(map[selector.Class]Count)}
	if m == nil {
		g, err := GuessFile(in)
		if err != nil {
			return rep, err
		}
		m, rep.Guessed = &g, true
	}
	rep.Mapping = *m
	err := eachReading(in, *m, today, func(r Reading) error {
		rep.add(r)
		if progress != nil && rep.Rows%10_000 == 0 {
			return progress(rep.Rows)
		}
		return nil
	})
	if err != nil {
		return rep, err
	}
	rep.Format = m.Format
	for _, c := range selector.Classes() {
		if n, ok := rep.counts[c]; ok {
			rep.Classes = append(rep.Classes, ClassCount{c, c.Label(), n})
		}
	}
	return rep, nil
}

// eachReading streams a file through a mapping.
func eachReading(in Input, m Mapping, today time.Time, do func(Reading) error) error {
	s, f, err := OpenSource(in)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m.Fit(s); err != nil {
		return err
	}
	for {
		row, err := s.Next()
		if isEOF(err) {
			return m.fitWhole(s)
		}
		if err != nil {
			return err
		}
		if err := do(m.Read(row, today)); err != nil {
			return err
		}
	}
}

func (r *Report) add(x Reading) {
	r.Rows++
	if x.OK {
		r.Observations++
	}
	for class, n := range x.Counts {
		total := r.counts[class]
		total.add(n)
		r.counts[class] = total
	}
	for _, i := range x.Issues {
		r.Reasons[i.Code]++
		if len(r.Issues) < maxIssues {
			r.Issues = append(r.Issues, i)
		} else {
			r.MoreIssues++
		}
	}
}

// Text writes the report for a person.
func (r Report) Text(w io.Writer) {
	fmt.Fprintf(w, "%d rows read as %s; %d would become observations.\n", r.Rows, r.Format, r.Observations)
	for _, c := range r.Classes {
		fmt.Fprintf(w, "  %-26s %7d accepted  %6d stopped by a warning  %6d refused\n", c.Label, c.Accepted, c.Stopped, c.Refused)
	}
	for i, x := range r.Issues {
		if i == 20 {
			fmt.Fprintf(w, "  ... and %d more; --json lists them.\n", len(r.Issues)-20+r.MoreIssues)
			break
		}
		fmt.Fprintf(w, "  line %d, %s: %s: %s\n", x.Line, x.Column, x.Outcome, x.Sentence)
	}
}
