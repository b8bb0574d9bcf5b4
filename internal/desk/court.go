package desk

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
)

// smrDerived is the flag that travels with material which stems from a report of
// suspicion.
const smrDerived = "smr-derived"

// smrWord is the flag in words: what nobody said is not known.
func smrWord(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

// reporting are the kinds of organisation that make reports of suspicion. What
// they hold may stem from one unless they say that it does not.
var reporting = []string{"au.fsp", "au.fiu"}

// smr says whether an observation stems from a report of suspicion, as far as an
// export must suppose: a reporting entity that does not say so may have reported.
func (o OpenedContent) smr() bool {
	return o.Payload.SMR == "yes" || o.Payload.SMR == "" && slices.Contains(reporting, law.ActorOf(o.Sector))
}

// An Export is a lead as a file, under a decision of the gateway.
type Export struct {
	ID       string // by which the desk knows the file
	Expires  time.Time
	Decision string
	Route    []string
	Flagged  int // observations that stem, or may stem, from a report of suspicion
	CSV      []byte
}

// ExportLead writes an opened lead as a table under a standing decision that this
// desk's counsel signed. The read is logged first, as every read is. Material that
// stems from a report of suspicion is refused where the decision leads into
// evidence; the refusal names how the same records can be obtained lawfully. The
// file may be kept for ExportLife, which it says itself; while an earlier one
// should be gone, none is made.
func (d *Desk) ExportLead(ctx context.Context, id, decision string) (Export, error) {
	// What law refuses is refused before anything is read.
	x, r, err := d.MayExport(ctx, decision, nil)
	if err != nil {
		return Export{}, err
	}
	if err := d.noneOver(ctx); err != nil {
		return Export{}, err
	}
	l, err := d.OpenLead(ctx, id)
	if err != nil {
		return Export{}, err
	}
	if l.ChildPossible {
		return Export{}, fault.New(fault.Forbidden, "The subject of this lead may be a child: exports are refused.")
	}
	out := Export{Decision: x.ID, Route: r.IDs}
	sectors := map[string]string{}
	for _, o := range l.Observations {
		if o.smr() {
			out.Flagged++
			sectors[law.ActorOf(o.Sector)] = o.Organisation
		}
	}
	if out.Flagged > 0 {
		if _, _, err := d.MayExport(ctx, decision, []string{smrDerived}); err != nil {
			return Export{}, d.resource(ctx, err, out.Flagged, sectors)
		}
	}
	noted, err := d.noteExport(ctx, id, x.ID, len(l.Observations))
	if err != nil {
		return Export{}, err
	}
	out.ID, out.Expires = noted.ID, time.UnixMicro(noted.Expires).UTC()
	out.CSV, err = csvBytes(l.table(x.ID, r.IDs, out.Expires))
	return out, err
}

// table is the lead's observations; each row says that nothing is verified, under
// which decision it left and until when it may be kept, and carries its flag.
func (l Lead) table(decision string, rows []string, expires time.Time) [][]string {
	out := [][]string{{"status", "destroy_by", "gateway", "route", smrDerived, "organisation", "sector", "reference", "date", "role", "kind", "grade", "strength", "identifiers"}}
	for _, o := range l.byOrganisation() {
		p := o.Payload
		var ids []string
		for _, s := range p.identifiers() {
			ids = append(ids, string(s.Class)+" "+s.Value)
		}
		flag := smrWord(p.SMR)
		if flag == "not known" && !o.smr() {
			flag = "no"
		}
		out = append(out, []string{"unverified", expires.Format(time.DateOnly), decision, strings.Join(rows, " then "), flag, o.Organisation, o.Sector, p.Reference, p.Date, o.Role, p.Kind,
			strings.ToUpper(p.Grade), fmt.Sprint(p.Strength), strings.Join(ids, "; ")})
	}
	return out
}

// resource is the refusal of material that stems from reports of suspicion, with
// the ways in which the underlying records can reach a court.
func (d *Desk) resource(ctx context.Context, err error, flagged int, sectors map[string]string) error {
	data, _, lawErr := d.Law(ctx)
	if lawErr != nil {
		return lawErr
	}
	var ways []string
	for actor, organisation := range sectors {
		for _, w := range law.Resourcing(data.Finder, actor, d.day()) {
			ways = append(ways, organisation+": "+w.String())
		}
	}
	sort.Strings(ways)
	if ways == nil {
		ways = []string{"the law data knows no way; ask counsel"}
	}
	return fault.Wrap(fault.Forbidden, fmt.Sprintf("%s %d of the observations stem, or may stem, from a report of suspicion, which is not for use in court. Obtain the underlying records again: %s.",
		fault.Sentence(err), flagged, strings.Join(ways, "; ")), err)
}
