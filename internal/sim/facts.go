package sim

import (
	"strconv"
	"time"

	"parallax/opening"
	"parallax/selector"
)

// An entry is one observation as the pool would hold it, with its truth.
type entry struct {
	fact    opening.Fact
	subject string
	submit  time.Time
	noticed time.Time
	closed  bool // the law keeps it out of the pool
	refer   bool // a copy that another organisation referred
}

// admitted is long before every world, so that no weight is lost to admission.
var admitted = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// entries reads every row as a desk does: normalise, stop what a warning list
// holds, drop what cannot be read. It also counts distinct selectors and the
// cells that gave none.
func (d *Data) entries() (out []entry, selectors, dropped int) {
	distinct := make(map[string]bool)
	for _, o := range organisations {
		columns := columnsOf(o.Sector)
		for i := range d.Rows[o.ID] {
			row := &d.Rows[o.ID][i]
			e := entry{subject: row.subject, closed: row.Gate != GateOpen, refer: row.Origin != "own"}
			e.fact = opening.Fact{ID: o.ID + "/" + row.Reference, Entity: o.ID, Sector: o.Sector, Kind: row.Kind, Admitted: admitted}
			e.fact.Strength, _ = strconv.Atoi(row.Strength) // 0 weighs nothing
			e.fact.Unreliable = row.Grade == "" || row.Grade[0] == 'E' || row.Grade[len(row.Grade)-1] == '5'
			e.submit, _ = time.Parse(time.DateOnly, row.SubmitFrom)
			e.noticed, _ = time.Parse(time.DateOnly, row.Date)
			for _, c := range columns {
				tags, bad := tagsOf(*row, c)
				dropped += bad
				e.fact.Tags = append(e.fact.Tags, tags...)
			}
			for _, t := range e.fact.Tags {
				distinct[t.Tag] = true
			}
			out = append(out, e)
		}
	}
	return out, len(distinct), dropped
}

func tagsOf(row Row, c column) (tags []opening.FactTag, dropped int) {
	v := *c.cell(&row)
	if c.class == "" || c.class == selector.IP || v == "" {
		return nil, 0
	}
	if c.class == selector.Bank {
		v = row.BSB + " " + v
	}
	sels, err := selector.Normalise(c.class, v, selector.Hint{Country: country, Platform: platformHint(row, c.class)})
	if err != nil {
		return nil, 1
	}
	seen := make(map[string]bool)
	for _, s := range sels {
		if _, stop := selector.Warn(s); stop {
			return nil, 1
		}
		tag := string(s.Input())
		if !seen[tag] {
			seen[tag] = true
			tags = append(tags, opening.FactTag{Tag: tag, Person: s.Class.Person(), Payment: s.Class.Payment()})
		}
	}
	return tags, 0
}

// platformHint is the platform of a user name or account; payment service ids
// name their service themselves.
func platformHint(row Row, c selector.Class) string {
	if c == selector.Username || c == selector.Account {
		return row.Platform
	}
	return ""
}
