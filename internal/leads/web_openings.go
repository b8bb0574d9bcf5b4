package leads

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

func readyTable(o overview) web.Table {
	t := web.Table{ID: "ready", Caption: "Ready, not asked for", Columns: web.Cols("Lead", "Conditions", "Playbook", "Ready since"),
		Empty: web.Empty{What: "Leads that may be opened appear here.", When: "One appears when enough independent organisations in enough sectors hold the same identifiers.",
			Good: "Empty is the usual state: most contributions match nothing."}, Pages: pages("ready", o.more.ready, len(o.ready))}
	for _, l := range o.ready {
		tone := web.Plain
		if l.Playbook == opening.PlaybookChildPossible {
			tone = web.Wait
		}
		t.Rows = append(t.Rows, web.Row{Tone: tone, Cells: []web.Cell{web.L(short(l.ID), "/leads/"+l.ID), web.T(conditions(l.Conditions)),
			{Badges: playbookBadge(l.Playbook)}, web.At(time.UnixMicro(l.Ready))}})
	}
	return t
}

func underTable(m opening.Manifest, o overview) web.Table {
	t := web.Table{ID: "under", Caption: "Under way", Columns: web.Cols("Lead", "State", "Approvals", "Key holders", "Next step", "Asked for"),
		Empty: web.Empty{What: "Openings that were asked for appear here.", When: "The authority asks for one at its own desk."}, Pages: pages("under", o.more.under, len(o.under))}
	for _, x := range o.under {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.L(short(x.Lead), "/leads/"+x.Lead), {Badges: x.badges()},
			web.Tf("%d of 2", x.approvedBy(m)), web.Tf("%d of %d needed", x.releasedBy(), m.Quorum), web.T(x.next(m)), web.At(x.Created)}})
	}
	return t
}

func overTable(o overview) web.Table {
	t := web.Table{ID: "over", Caption: "Over", Columns: web.Cols("Lead", "State", "Since", "Why"),
		Empty: web.Empty{What: "Openings that were released or closed appear here.", When: "One is over when enough key holders have answered, or when it can no longer succeed."},
		Pages: pages("over", o.more.over, len(o.over))}
	for _, x := range o.over {
		why := "Enough key holders answered."
		if x.Reason != "" {
			why = sentence(x.Reason)
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.L(short(x.Lead), "/leads/"+x.Lead), {Badges: []web.Badge{x.badge()}}, web.At(x.Changed), web.T(why)}})
	}
	return t
}

func (x progress) badge() web.Badge {
	switch x.State {
	case Released:
		return web.Badge{Tone: web.Good, Text: "Released"}
	case Closed:
		return web.Badge{Tone: web.Stop, Text: "Closed"}
	default:
		return web.Badge{Tone: web.Wait, Text: vocab.LeadStates.Label(string(x.State))}
	}
}

// badges are the state and, where it is not the usual one, the playbook.
func (x progress) badges() []web.Badge {
	if x.request.Playbook == opening.PlaybookChildPossible {
		return append([]web.Badge{x.badge()}, playbookBadge(x.request.Playbook)...)
	}
	return []web.Badge{x.badge()}
}

// next says what must happen, and who does it.
func (x progress) next(m opening.Manifest) string {
	switch x.State {
	case Requested:
		var missing []string
		for _, who := range []struct{ role, desk string }{{opening.RoleAuthority, "the authority's desk"}, {opening.RoleOversight, "the oversight body's desk"}} {
			if x.approval(m, who.role).IsZero() {
				missing = append(missing, who.desk)
			}
		}
		return "Approval at " + strings.Join(missing, " and at ")
	case Approved:
		return "The next witnessed checkpoint"
	case Logged:
		return "Key holders decide; not before " + web.Moment(x.notBefore(m))
	case Released:
		return "Reading at the authority's desk"
	default:
		return sentence(x.Reason)
	}
}

// notBefore is the first release time after the veto window, as the hub sees
// it; each key holder counts from when it witnessed the request itself.
func (x progress) notBefore(m opening.Manifest) time.Time {
	return opening.NextRelease(m.Delays, x.Changed.Add(time.Duration(m.Delays.OpenSeconds)*time.Second))
}

// approval is when an approver of the role approved; zero: not yet.
func (x progress) approval(m opening.Manifest, role string) time.Time {
	for _, a := range x.Approvals {
		who, ok := m.Approver(a.Key)
		var body opening.Approval
		if ok && who.Role == role && signed.Unmarshal(a.Body, &body) == nil {
			return time.UnixMicro(body.Time)
		}
	}
	return time.Time{}
}

func (x progress) approvedBy(m opening.Manifest) (n int) {
	for _, role := range []string{opening.RoleAuthority, opening.RoleOversight} {
		if !x.approval(m, role).IsZero() {
			n++
		}
	}
	return n
}

func (x progress) releasedBy() (n int) {
	for _, h := range x.holders {
		if h.State == HolderReleased {
			n++
		}
	}
	return n
}

// steps says how far an opening has come.
func steps(m opening.Manifest, x progress) []any {
	at := slices.Index([]State{Requested, Approved, Logged, Released}, x.State)
	list := []web.Step{{Label: "Asked for by the authority", State: web.StepDone, At: x.Created}}
	for _, who := range []struct{ role, label string }{{opening.RoleAuthority, "Approved by the authority"}, {opening.RoleOversight, "Approved by the oversight body"}} {
		s := web.Step{Label: who.label, State: web.StepWaiting, At: x.approval(m, who.role)}
		if !s.At.IsZero() {
			s.State = web.StepDone
		} else if x.State == Requested {
			s.State = web.StepCurrent
		}
		list = append(list, s)
	}
	for i, s := range []web.Step{
		{Label: "In the log, under a witnessed checkpoint"},
		{Label: fmt.Sprintf("Released by %d key holders", m.Quorum)},
		{Label: "Read at the authority's desk", Note: "The desk keeps its own record of every read."},
	} {
		switch s.State = web.StepWaiting; {
		case at > i+1:
			s.State = web.StepDone
		case at == i+1:
			s.State = web.StepCurrent
		}
		if x.State == Logged && i == 1 {
			s.Note = "Each decides by itself. The veto window ends, and shares may leave, on " + web.Moment(x.notBefore(m)) + "."
		}
		list = append(list, s)
	}
	if x.State == Closed {
		list = append(list[:1], web.Step{Label: "Closed", State: web.StepStopped, Note: sentence(x.Reason), At: x.Changed})
	}
	return []any{web.Steps{Label: "How far the opening is", Steps: list},
		web.Meter{Label: "Key holders that have answered, of those needed", Done: min(x.releasedBy(), m.Quorum), Total: m.Quorum}}
}

func holdersTable(m opening.Manifest, x progress) web.Table {
	t := web.Table{Caption: "What the key holders say", Columns: web.Cols("Key holder", "Answer", "Reason"),
		Empty: web.Empty{What: "Answers of key holders appear here.", When: "They are asked when the request is in the log."}}
	for _, h := range x.holders {
		name := fmt.Sprintf("number %d", h.Index)
		if h.Index >= 1 && h.Index <= len(m.Holders) {
			name = m.Holders[h.Index-1].ID
		}
		b := web.Badge{Tone: web.Wait, Text: "Waiting"}
		switch h.State {
		case HolderReleased:
			b = web.Badge{Tone: web.Good, Text: "Released"}
		case HolderRefused:
			b = web.Badge{Tone: web.Stop, Text: "Refused"}
		case HolderUnreachable:
			b = web.Badge{Tone: web.Wait, Text: "Not reached"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(name), {Badges: []web.Badge{b}}, web.T(sentence(h.Reason))}})
	}
	return t
}

func playbookBadge(playbook string) []web.Badge {
	if playbook == opening.PlaybookChildPossible {
		return []web.Badge{{Tone: web.Wait, Text: "Could this be a child?"}}
	}
	return []web.Badge{{Tone: web.Plain, Text: "Standard"}}
}

// conditions is a lead's satisfied conditions in one line.
func conditions(list []opening.Condition) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = fmt.Sprintf("%s %d (needs %d)", c.Name, c.Have, c.Need)
	}
	return sentence(strings.Join(parts, ", "))
}

func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// whereDone says which desk does what: keys never are at the hub.
func whereDone(m opening.Manifest) []any {
	return []any{web.Text("This page looks and does not act. Requests and approvals are signed at the approvers' own desks, where their keys are; the hub could not sign one."),
		web.Terms{{Name: "At the desk of " + m.Authority.Entity, Meaning: "Ask for an opening, approve it, and read what was released."},
			{Name: "At the oversight body's desk", Meaning: "Look at the request and approve it, or leave it to expire. Reads nothing."}},
		web.Code{Label: "Commands at a desk", Text: "parallax desk inbox --dir DESK\nparallax desk approve OPENING --dir DESK\nparallax desk serve --dir DESK\n"}}
}
