package leads

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
)

// readable is said on every page of a lead.
const readable = "The readable part is only at the authority's desk. The hub holds sealed boxes and cannot open them; what you see here is structure."

// blocks are the page of one lead.
func (x structure) blocks(m opening.Manifest, poll []any) []any {
	out := []any{x.playbook()}
	out = append(out, web.Text(readable))
	if x.State == "closed" {
		out = append(out, web.Notice{Tone: web.Stop, Title: "This lead is closed.", Text: "Something that it rested on was withdrawn or has expired, or its opening could no longer succeed. If what is left still meets the rule, it is another lead."})
	}
	main := append(poll, x.evidenceTable(m))
	side := []any{web.Section{Title: "Is this enough?", Body: []any{x.conditionChecks()}}, web.Section{Title: "About this lead", Body: []any{x.facts(m)}}}
	out = append(out, main...)
	out = append(out, web.Split{Main: x.openingBlocks(m), Side: side})
	return append(out, web.Section{Title: "What next, and where", Body: x.whatNext(m)})
}

// playbook says calmly and first whether this could be a child.
func (x structure) playbook() web.Notice {
	if x.Playbook == opening.PlaybookChildPossible {
		return web.Notice{Tone: web.Wait, Title: "Could this be a child? An observation says that it may be.",
			Text: "This lead opens only under the playbook that asks this first. It opens to protect: look for a person who may need help before anything else, and take no adverse step on the strength of this lead."}
	}
	return web.Notice{Tone: web.Info, Title: "Could this be a child? No observation says so yet.",
		Text: "Ask it all the same before acting. As soon as one contributor says that the subject may be a child, the playbook changes for everybody."}
}

func (x structure) conditionChecks() web.Checks {
	c := web.Checks{Label: "Conditions of the opening rule"}
	for _, k := range x.Conditions {
		state := web.CheckHolds
		if !k.Met {
			state = web.CheckFails
		}
		c.Items = append(c.Items, web.Check{Label: sentence(k.Name), State: state, Note: fmt.Sprintf("%d found, %d needed", k.Have, k.Need)})
	}
	return c
}

func (x structure) facts(m opening.Manifest) web.Facts {
	f := web.Facts{{Label: "Lead", Value: web.Cell{Text: x.ID, Code: true}}, {Label: "Ready since", Value: web.At(time.UnixMicro(x.Ready))}}
	if len(x.openings) == 0 {
		return f
	}
	o := x.openings[0]
	return append(f, web.Fact{Label: "Opening", Value: web.Cell{Text: o.ID, Code: true}},
		web.Fact{Label: "Purpose", Value: web.T(sentence(o.request.Purpose))},
		web.Fact{Label: "Legal basis", Value: web.T(o.request.LegalBasis)},
		web.Fact{Label: "Opens to", Value: web.T(m.Authority.Entity)},
		web.Fact{Label: "Request expires", Value: web.At(time.UnixMicro(o.request.Expires))})
}

func (x structure) openingBlocks(m opening.Manifest) []any {
	if len(x.openings) == 0 {
		return []any{web.Section{Title: "The opening", Body: []any{web.Empty{What: "How far the opening is appears here.", When: "The authority asks for it at its own desk."}}}}
	}
	o := x.openings[0]
	return []any{web.Section{Title: "The opening", Body: append(steps(m, o), holdersTable(m, o))}}
}

// evidenceTable shows who contributed what kind of thing, when, and why it is
// here. Who it is about is in none of it.
func (x structure) evidenceTable(m opening.Manifest) web.Table {
	t := web.Table{Caption: "Evidence by source", Columns: append(web.Cols("Source", "Sector", "Kind", "Week", "Subject role", "Grade"), web.Column{Label: "Weight", Numeric: true}),
		Empty: web.Empty{What: "The observations that this lead rests on appear here.", When: "None of them is there any more: they were withdrawn or have expired."},
		Note:  "A role is one contributor's suspicion and no finding. A weight of 0 supports nothing: the source is unreliable or new, or the subject may be a child."}
	if x.gone > 0 && len(x.evidence) > 0 {
		t.Note += fmt.Sprintf(" %d more were withdrawn or have expired.", x.gone)
	}
	list := slices.Clone(x.evidence)
	slices.SortStableFunc(list, func(a, b piece) int {
		return strings.Compare(a.Header.Organisation+a.Header.Week, b.Header.Organisation+b.Header.Week)
	})
	for _, p := range list[:min(len(list), rows)] {
		tone := web.Plain
		if p.Header.Role == opening.RolePossibleVictim {
			tone = web.Wait
		}
		t.Rows = append(t.Rows, web.Row{Tone: tone, Why: p.why(m), Cells: []web.Cell{web.T(nameOf(m, p.Header.Organisation)), web.T(vocab.Sectors.Label(p.Header.Sector)),
			web.T(vocab.Kinds.Label(p.Header.Kind)), web.T(strings.ReplaceAll(p.Header.Week, "-", "\u2011")), web.T(vocab.Roles.Label(p.Header.Role)),
			web.T(strings.ToUpper(p.Header.Source) + p.Header.Info), web.N(int64(p.weight))}})
	}
	if len(list) > rows {
		t.Pages.Shown = fmt.Sprintf("The first %d of %d observations", rows, len(list))
	}
	return t
}

// why names what ties an observation to the others: classes and sources, never
// a value.
func (p piece) why(m opening.Manifest) string {
	var order []string
	with := map[string][]string{}
	for _, s := range p.shares {
		label, name := s.tag.Class.Label(), nameOf(m, s.with)
		if with[label] == nil {
			order = append(order, label)
		}
		if !slices.Contains(with[label], name) {
			with[label] = append(with[label], name)
		}
	}
	if len(order) == 0 {
		return "Linked through its own organisation's observations."
	}
	for i, label := range order {
		slices.Sort(with[label])
		order[i] = "same " + label + " as " + strings.Join(with[label], ", ")
	}
	return sentence(strings.Join(order, "; ")) + "."
}

func nameOf(m opening.Manifest, id string) string {
	if mem, ok := m.Member(id); ok && mem.Name != "" {
		return mem.Name
	}
	return id
}

// whatNext names the desk that acts, and its command.
func (x structure) whatNext(m opening.Manifest) []any {
	playbook := "standard"
	if x.Playbook == opening.PlaybookChildPossible {
		playbook = opening.PlaybookChildPossible
	}
	code := func(where, command string) web.Code { return web.Code{Label: where, Text: command + "\n"} }
	authority := "At the desk of " + m.Authority.Entity
	switch {
	case x.State == "ready":
		return []any{web.Text("Nobody has asked for this lead. If it should be opened, an approver of the authority asks for it at the authority's desk, with a purpose and a legal basis."),
			code(authority, "parallax desk request "+x.ID+" --dir DESK --playbook "+playbook+" --purpose PURPOSE --basis BASIS")}
	case len(x.openings) == 0 || x.openings[0].State == Closed:
		return []any{web.Text("Nothing more can be done with this lead.")}
	case x.openings[0].State == Requested:
		return []any{web.Text("Two approvals are needed: one from the authority and one from the oversight body, each signed at its own desk. Declining means not to sign; the request then expires."),
			code("At an approver's desk", "parallax desk approve "+x.openings[0].ID+" --dir DESK")}
	case x.openings[0].State == Released:
		return []any{web.Text("Enough key holders have released their shares. The authority's desk combines them, records the read and opens the boxes."),
			code(authority, "parallax desk open "+x.openings[0].ID+" --dir DESK")}
	default:
		return []any{web.Text("Nothing to do: the log and the key holders come next. A key holder, an approver or a governor can halt openings until the veto window ends.")}
	}
}
