package desk

import (
	"fmt"
	"net/http"
	"sort"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
)

// readBlocks asks before a lead is read: every read is logged.
func readBlocks(at string, req opening.Request) web.Section {
	return web.Section{Title: "Read the lead", Body: []any{
		web.Text("Key holders have released their shares. The read is written to this desk's read log before anything is decrypted; if it cannot be written, nothing is read."),
		web.Text(fmt.Sprintf("It holds %s of several organisations, with identifiers and short notes. No images. Everything in it is unverified.", observations(len(req.Labels)))),
		web.Actions{{Label: "Log the read and show the lead", Href: at + "/lead", Post: true, Primary: true},
			{Label: "What next with this lead", Href: at + "/handling"}}}}
}

// lead logs the read, then decrypts and shows. A reload is another read and is
// logged again.
func (s *Site) lead(w http.ResponseWriter, r *http.Request) error {
	l, err := s.desk.OpenLead(r.Context(), r.PathValue("id"))
	if err != nil {
		return web.NotDone(err, "The lead was not shown.")
	}
	view := web.View{Title: "Lead " + short(l.Opening, 12), Question: "Is this enough to act, could this be a child, what next?",
		Crumbs: []web.Link{{Label: "Openings", Href: "/openings"}, {Label: "Opening", Href: "/openings/" + l.Opening}},
		Notice: &web.Notice{Tone: web.Info, Title: "Unverified", Text: "These are suspicions that organisations reported, to be checked. They are no findings about anybody."}}
	var body []any
	if l.ChildPossible {
		body = append(body, childBlocks())
	}
	if len(l.Corrected) > 0 {
		body = append(body, l.correctedBlocks())
	}
	body = append(body, l.evidenceTable())
	if !l.ChildPossible {
		body = append(body, web.Section{Title: "Could this be a child?", Body: []any{
			web.Text("No organisation says so. Ask it all the same before anything adverse follows: a person who pays, sends or is paid may be a child, or may act under pressure. Where it could be, stop here, follow the playbook “Could this be a child?”, and tell the contributors to correct the role.")}})
	}
	body = append(body, web.Actions{{Label: "What next with this lead", Href: "/openings/" + l.Opening + "/handling", Primary: true}})
	view.Data = append(body, l.identifierBlocks(), l.ownBlocks(), l.provenanceBlocks())
	return s.blocks(w, r, http.StatusOK, view)
}

// childBlocks is the playbook that comes before everything else.
func childBlocks() web.Section {
	return web.Section{ID: "child", Title: "Could this be a child?", Body: []any{
		web.Notice{Tone: web.Wait, Title: "Protect first", Text: "At least one organisation says that the subject may be a child or another person who has been harmed, or the request does. Nothing adverse follows from this lead."},
		web.List{Label: "What to do", Items: []web.Cell{
			{Text: "If somebody may be in danger now, call emergency services first (000 in Australia)."},
			{Text: "Bring in the child protection officer before anybody contacts the person or their family."},
			{Text: "Freeze nothing, report nobody and close no account because of this lead: it may tip off whoever does the harm."},
			{Text: "Ask the contributors, through the authority, what they know about the person's age and situation."},
			{Text: "Write down who decided what, and why, in your own case system."},
		}},
		web.List{Label: "What follows while that stands", Items: []web.Cell{
			{Text: "Export of identifiers or own records", Badges: []web.Badge{{Tone: web.Stop, Text: "Refused"}}, Note: "Copies would travel further than protection needs."},
			{Text: "Freezing, blocking, reporting as an offender", Badges: []web.Badge{{Tone: web.Stop, Text: "Not on this lead"}}, Note: "This desk offers none of them."},
		}}}}
}

// evidenceTable lists the observations by source, without identifiers.
func (l Lead) evidenceTable() web.Table {
	t := web.Table{ID: "evidence", Caption: "Evidence by source, unverified", Columns: web.Cols("Organisation", "Sector", "Subject role", "Kind", "Grade", "Strength", "Date", "Its reference"),
		Note: "Grade: how reliable the source is (A to F) and how credible what it says (1 to 6), as the organisation itself judged. Strength: 1 to 3."}
	for _, o := range l.byOrganisation() {
		p := o.Payload
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(o.Organisation), web.T(labelOr(vocab.Sectors, o.Sector)), {Badges: []web.Badge{roleBadge(o.Role)}},
			web.T(labelOr(vocab.Kinds, p.Kind)), web.T(strings.ToUpper(p.Grade)), web.N(int64(p.Strength)), web.T(p.Date), web.T(p.Reference)}})
	}
	return t
}

func identifiers(n int) string {
	if n == 1 {
		return "1 identifier"
	}
	return fmt.Sprintf("%d identifiers", n)
}

func (l Lead) byOrganisation() []OpenedContent {
	out := append([]OpenedContent(nil), l.Observations...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Organisation < out[j].Organisation })
	return out
}

func labelOr(list vocab.List, code string) string {
	if list.Has(code) {
		return list.Label(code)
	}
	return code
}

func roleBadge(role string) web.Badge {
	b := web.Badge{Tone: web.Plain, Text: labelOr(vocab.Roles, role)}
	if role == opening.RolePossibleVictim {
		b.Tone = web.Wait
	}
	return b
}

// identifierBlocks keeps identifiers and notes behind labelled disclosures.
func (l Lead) identifierBlocks() web.Section {
	out := web.Section{Title: "What each organisation reported", Body: []any{web.Text("Identifiers stay closed until you open them: look at what a decision needs, no more.")}}
	for _, o := range l.byOrganisation() {
		p := o.Payload
		holds := "Holds " + identifiers(len(p.identifiers())) + ". No images."
		if p.Note != "" {
			holds = "Holds " + identifiers(len(p.identifiers())) + " and a short note. No images."
		}
		if o.Role == opening.RolePossibleVictim {
			holds = "Holds a reference only: identifiers of a person who may have been harmed never travel."
		}
		out.Body = append(out.Body, web.Disclosure{Label: o.Organisation + ", reference " + p.Reference, Holds: holds, Body: payloadBlocks(p)})
	}
	return out
}

// ownBlocks lists this desk's own records that share an identifier.
func (l Lead) ownBlocks() web.Section {
	t := web.Table{ID: "own", Caption: "Own records with one of these identifiers", Columns: web.Cols("Own reference", "Date", "Subject role", "Kind"),
		Empty: web.Empty{What: "No record of this desk shares an identifier with the lead.", When: "Records that this desk itself submitted appear here when they match."}}
	for _, o := range l.Own {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(o.Record.Reference), web.T(o.Record.Date), {Badges: []web.Badge{roleBadge(o.Record.Role)}}, web.T(labelOr(vocab.Kinds, o.Record.Kind))}})
	}
	out := web.Section{Title: "Own records", Body: []any{t}}
	switch {
	case l.ChildPossible:
		out.Body = append(out.Body, web.Text("Export is refused while the subject may be a child."))
	case len(l.Own) > 0:
		out.Body = append(out.Body, web.Actions{{Label: "Download own records as CSV (logged as a read)", Href: "/openings/" + l.Opening + "/own.csv", Post: true}})
	}
	return out
}

// provenanceBlocks says what was verified before anything was shown.
func (l Lead) provenanceBlocks() web.Section {
	holders := make(map[string]bool)
	labels := web.List{Label: "Observations as they were signed"}
	for _, o := range l.byOrganisation() {
		for _, h := range o.Holders {
			holders[h] = true
		}
		labels.Items = append(labels.Items, web.Cell{Code: true, Text: fmt.Sprintf("%x", o.Label[:16]), Note: o.Organisation + ", week " + o.Week + ", shares of " + strings.Join(o.Holders, ", ")})
	}
	return web.Section{Title: "Where this comes from", Body: []any{
		web.Checks{Label: "Verified at this desk before it was shown", Items: []web.Check{
			{Label: "The request is the one that the approvers signed", State: web.CheckHolds},
			{Label: "Each observation is signed by its organisation", State: web.CheckHolds},
			{Label: fmt.Sprintf("Each share is signed and proved by its key holder (%d of them)", len(holders)), State: web.CheckHolds},
			{Label: "What the organisations say is true", State: web.CheckUnknown, Note: "No proof can show that: it is for you to check."}}},
		web.Facts{{Label: "Purpose", Value: web.T(l.Purpose)}, {Label: "Legal basis", Value: web.T(l.LegalBasis)},
			{Label: "Request", Value: web.Cell{Code: true, Text: l.Request.String()}}, {Label: "Read log", Value: web.Tf("this read is line %d", l.Read.Number)}},
		web.Disclosure{Label: "Show the labels", Holds: "Holds hashes. No identifier.", Body: []any{labels}}}}
}

// ownCSV exports this desk's own matching records; the export is a read and is
// logged as one.
func (s *Site) ownCSV(w http.ResponseWriter, r *http.Request) error {
	l, err := s.desk.OpenLead(r.Context(), r.PathValue("id"))
	if err != nil {
		return web.NotDone(err, "Nothing was exported.")
	}
	if l.ChildPossible {
		return web.NotDone(fault.New(fault.Forbidden, "The subject of this lead may be a child: exports are refused."), "Nothing was exported.")
	}
	rows := [][]string{{"status", "reference", "date", "role", "kind", "grade", "strength", smrDerived}}
	for _, o := range l.Own {
		rec := o.Record
		rows = append(rows, []string{"unverified", rec.Reference, rec.Date, rec.Role, rec.Kind, strings.ToUpper(rec.Source + rec.Info), fmt.Sprint(rec.Strength), smrWord(rec.SMR)})
	}
	return downloadCSV(w, "own-records.csv", rows)
}
