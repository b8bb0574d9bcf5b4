package baseline

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
)

//go:embed published.csv
var publishedCSV []byte

// A Published value is a count that somebody else made public. It is shown as
// what it is, a count of reports or records, and never as how much there is.
type Published struct {
	Series, Place, Period string
	Value                 int64
	Unit                  string // reports, content records, web addresses, people: never added up
	Collection            string
	Definition            string // version of what is counted
	Status                string // how sure the figure itself is
	Break                 string // why it cannot be compared with the one before; empty: it can
	Claimed               *float64
	Depends               string // the series that it is mostly made from
	Source                string
	Change                *float64 // in per cent of the one before; nil over a break
	Flags                 []string
}

var publishedHead = []string{"series", "place", "period", "value", "unit", "collection", "definition", "status", "break", "claimed_change", "depends", "source"}

// PublishedCounts are the figures that ship with the program, flagged.
func PublishedCounts() ([]Published, error) { return ReadPublished(bytes.NewReader(publishedCSV)) }

// ReadPublished reads a table of published counts: rows of a series in order of
// time. An error names the line.
func ReadPublished(r io.Reader) ([]Published, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(publishedHead)
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("published counts: %w", err)
	}
	for i, name := range publishedHead {
		if head[i] != name {
			return nil, fmt.Errorf("published counts: column %d is %q, want %q", i+1, head[i], name)
		}
	}
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("published counts: %w", err)
	}
	out := make([]Published, len(rows))
	for n, row := range rows {
		p := Published{Series: row[0], Place: row[1], Period: row[2], Unit: row[4], Collection: row[5], Definition: row[6], Status: row[7],
			Break: row[8], Depends: row[10], Source: row[11]}
		if p.Value, err = strconv.ParseInt(row[3], 10, 64); err != nil || p.Value < 0 {
			return nil, fmt.Errorf("published counts: line %d: %q is no count", n+2, row[3])
		}
		if row[9] != "" {
			v, err := strconv.ParseFloat(row[9], 64)
			if err != nil {
				return nil, fmt.Errorf("published counts: line %d: %q is no change in per cent", n+2, row[9])
			}
			p.Claimed = &v
		}
		if p.Series == "" || p.Unit == "" || p.Definition == "" || p.Status == "" || p.Source == "" {
			return nil, fmt.Errorf("published counts: line %d: series, unit, definition, status and source are needed", n+2)
		}
		out[n] = p
	}
	return out, flag(out)
}

// Limits of what passes without a flag.
const (
	claimTolerance = 1.0 // percentage points
	standsOut      = 2.0 // times both neighbours
)

// flag sets changes and flags. Rows of one series stand together.
func flag(list []Published) error {
	for i := range list {
		p := &list[i]
		first := i == 0 || list[i-1].Series != p.Series
		if !first && (list[i-1].Unit != p.Unit || list[i-1].Definition != p.Definition && p.Break == "") {
			return fmt.Errorf("published counts: %s, %s: unit or definition change without a declared break", p.Series, p.Period)
		}
		if p.Break != "" {
			p.Flags = append(p.Flags, "break in the series: "+p.Break)
		}
		if p.Depends != "" {
			p.Flags = append(p.Flags, "not independent: mostly made from "+p.Depends)
		}
		if !first && p.Break == "" && list[i-1].Value > 0 {
			v := 100 * (float64(p.Value)/float64(list[i-1].Value) - 1)
			p.Change = &v
			if p.Claimed != nil && math.Abs(*p.Claimed-v) > claimTolerance {
				p.Flags = append(p.Flags, fmt.Sprintf("its publisher says %+.0f %%, but its own figures give %+.1f %%", *p.Claimed, v))
			}
		}
		if !first && i+1 < len(list) && list[i+1].Series == p.Series && p.Break == "" && list[i+1].Break == "" &&
			float64(p.Value) > standsOut*float64(max(list[i-1].Value, list[i+1].Value)) {
			p.Flags = append(p.Flags, "stands out from the years on both sides: an artefact of reporting or an event, not a trend")
		}
	}
	return nil
}
