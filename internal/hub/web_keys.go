package hub

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
	"parallax/selector"
)

// keys answers: who may do what, and are the holders healthy and independent?
func (c *console) keys(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "Keys", Question: "Who holds the keys, what may they be used for, and are the holders healthy and independent?"}
	m, ok := c.s.state.current()
	after := r.URL.Query().Get("after")
	if ok && after != "" {
		if _, known := m.Member(after); !known {
			return fault.New(fault.NotFound, "There is no such member to go on from.")
		}
		view.Crumbs = []web.Link{{Label: "Keys", Href: "/keys"}}
		view.Data = []any{membersTable(m, after)}
		return c.blocks(w, r, view)
	}
	list, at := c.watch.holders(r.Context())
	view.Data = []any{
		web.Text("Several independent bodies each hold one share of every key. Enough of them must agree before an identifier can be blinded or a sealed match opened. Each decides by itself, and no share is with the hub or the authority."),
		c.holdersTable(list, at, m),
		web.Section{Title: "The key ceremony", Body: c.ceremonyBlocks()},
	}
	if !ok {
		view.Data = append(view.Data.([]any), web.Section{Title: "Policy", Body: []any{web.Empty{What: "The policy in force appears here: what may be contributed, by whom, and when it may be opened.",
			When: "It comes with the first manifest that the governance quorum signs."}}})
		return c.blocks(w, r, view)
	}
	view.Data = append(view.Data.([]any), web.Section{Title: "Policy in force", Body: c.policyBlocks(m)})
	return c.blocks(w, r, view)
}

func (c *console) holdersTable(list []seen, at time.Time, m opening.Manifest) web.Table {
	now := c.s.state.committee()
	t := web.Table{Caption: "Key holders", Columns: append(web.Cols("Key holder", "Controlled by", "State"), web.Column{Label: "Log entries seen", Numeric: true}, web.Column{Label: "Policy version", Numeric: true}, web.Column{Label: "What it publishes"}),
		Note: fmt.Sprintf("Any %d of %d holders can act together; fewer can do nothing. Asked on %s. What a holder was asked to open its operator sees on its own machine; the public gets release counts a quarter late.", now.T, now.N, web.Moment(at))}
	for _, h := range list {
		row := web.Row{Cells: []web.Cell{{Text: h.Holder.ID}, web.T(h.Holder.Entity), {Badges: []web.Badge{h.badge(m.Version)}}, {}, {}, web.L("Release counts", h.Holder.URL+client.PathReleases)}}
		if m.Demo { // one machine: the holder's own page opens
			row.Cells[0].Href = h.Holder.URL
		}
		if h.OK {
			row.Cells[3], row.Cells[4] = web.N(h.LogSize), web.N(int64(h.Manifest))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// badge is the state of a holder in words.
func (h seen) badge(version int) web.Badge {
	switch {
	case !h.OK:
		return web.Badge{Tone: web.Wait, Text: "Not reached"}
	case h.Halted:
		return web.Badge{Tone: web.Stop, Text: "Openings halted"}
	case h.Manifest < version:
		return web.Badge{Tone: web.Wait, Text: "Older policy"}
	default:
		return web.Badge{Tone: web.Good, Text: "Answers"}
	}
}

func (c *console) ceremonyBlocks() []any {
	p, now := c.s.o.Plan, c.s.state.committee()
	facts := web.Facts{
		{Label: "Pool and epoch", Value: web.Tf("%s, %s", p.Pool, p.Epoch)},
		{Label: "Shares", Value: web.Tf("%d, of which %d are needed", now.N, now.T)},
		{Label: "Generation of the shares", Value: web.Cell{Text: strconv.Itoa(now.Generation), Note: "0 is the ceremony's; each refresh or change of the holders adds one, and the keys stay the same"}},
		{Label: "Hub operator", Value: web.T(p.Hub.Entity)},
	}
	setup, err := c.s.state.setup()
	if err != nil {
		return []any{facts, web.Empty{What: "The transcript hash to pin appears here.", When: "It comes when all key holders have finished the ceremony and signed its transcript."}}
	}
	facts = append(facts, web.Fact{Label: "Transcript hash to pin", Value: web.Cell{Text: opening.Hash(setup.Transcript.Hash()).String(), Code: true,
		Note: "Compare it with what each key holder publishes. A desk that pins it accepts no other keys."}})
	governors := make([]string, len(p.Governance.Governors))
	for i, g := range p.Governance.Governors {
		governors[i] = g.Entity
	}
	facts = append(facts, web.Fact{Label: "Governance", Value: web.Tf("%d of %d must sign each policy: %s", p.Governance.Threshold, len(governors), strings.Join(governors, ", "))})
	return []any{facts}
}

func (c *console) policyBlocks(m opening.Manifest) []any {
	now := c.s.o.Clock.Now()
	facts := web.Facts{
		{Label: "Version", Value: web.Cell{Text: fmt.Sprint(m.Version), Note: "Issued on " + web.Moment(time.UnixMicro(m.Issued))}},
		{Label: "Opens to", Value: web.T(m.Authority.Entity)},
		{Label: "Approvals for an opening", Value: web.T("One from the authority, one from an oversight body that is unrelated to it")},
		{Label: "Delay and veto window", Value: web.T(duration(m.Delays.OpenSeconds))},
		{Label: "Releases", Value: web.Cell{Text: "Every " + strings.TrimPrefix(duration(m.Delays.ReleaseEvery), "1 "), Note: "Next on " + web.Moment(opening.NextRelease(m.Delays, now))}},
		{Label: "Subject roles admitted", Value: web.T(labels(vocab.Roles, m.Scope.Roles))},
	}
	out := []any{facts}
	if r, ok := m.Rule(m.CurrentRule); ok {
		out = append(out, web.Section{Sub: true, Title: "Opening rule for new contributions", Body: []any{ruleFacts(r)}})
	}
	return append(out, classTable(m, len(m.Holders)), basesTable(m, now), membersTable(m, ""))
}

func ruleFacts(r opening.Rule) web.Facts {
	f := web.Facts{
		{Label: "Weight", Value: web.Tf("At least %d in all; at most %d from one controlling body", r.MinWeight, r.EntityCap)},
		{Label: "Independent bodies", Value: web.Tf("At least %d", r.MinEntities)},
		{Label: "Sectors", Value: web.Tf("At least %d", r.MinSectors)},
		{Label: "Kinds of evidence", Value: web.Tf("At least %d", r.MinKinds)},
		{Label: "New members", Value: web.Tf("Carry no weight for %d days", r.AdmittedDays)},
		{Label: "Shared values", Value: web.Tf("A value in more than %d observations links nothing", r.FrequencyCap)},
	}
	if r.NonPayment {
		f = append(f, web.Fact{Label: "Payments alone", Value: web.T("Never enough: one shared identifier must be of another kind")})
	}
	return f
}

func classTable(m opening.Manifest, n int) web.Table {
	t := web.Table{Caption: "Kinds of identifier and daily budgets", Columns: append(web.Cols("Kind", "Links people"), web.Column{Label: "Rules version", Numeric: true},
		web.Column{Label: "Budget at each holder", Numeric: true}, web.Column{Label: "Most one member can test", Numeric: true}),
		Note: fmt.Sprintf("A budget is for one member and one day (UTC). Each value needs %d of %d holders, so a member that spreads its questions can test at most %d/%d of the budget.", m.Quorum, n, n, m.Quorum)}
	for _, c := range m.Classes {
		links := "No, only objects"
		if c.Class.Person() {
			links = "Yes"
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(sentence(c.Class)), web.T(links), web.N(int64(c.RuleVersion)),
			web.N(int64(c.DailyBudget)), web.N(int64(c.DailyBudget * n / m.Quorum))}})
	}
	return t
}

func basesTable(m opening.Manifest, now time.Time) web.Table {
	t := web.Table{Caption: "Legal bases that a request may rest on", Columns: web.Cols("Basis", "Purpose", "From", "To", "Today"),
		Empty: web.Empty{What: "Legal bases appear here.", When: "The manifest lists them. Without one nothing can be opened."}}
	for _, b := range m.LegalBases {
		state := web.Badge{Tone: web.Good, Text: "In force"}
		if at := now.UnixMicro(); at < b.From || at >= b.To {
			state = web.Badge{Tone: web.Wait, Text: "Not in force"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(b.ID), web.T(b.Purpose), {Time: time.UnixMicro(b.From), Day: true}, {Time: time.UnixMicro(b.To), Day: true}, {Badges: []web.Badge{state}}}})
	}
	return t
}

// membersTable lists members by id after one.
func membersTable(m opening.Manifest, after string) web.Table {
	t := web.Table{ID: "members", Caption: "Members", Columns: web.Cols("Member", "Controlled by", "Sector", "Admitted", "State"),
		Empty: web.Empty{What: "Members appear here.", When: "The manifest admits them."}}
	list := slices.Clone(m.Members)
	slices.SortFunc(list, func(a, b opening.Member) int { return strings.Compare(a.ID, b.ID) })
	list = slices.DeleteFunc(list, func(x opening.Member) bool { return x.ID <= after })
	if after != "" {
		t.Pages.First = "/keys"
	}
	if len(list) > rows {
		list = list[:rows]
		t.Pages.Next = "/keys?after=" + list[rows-1].ID
	}
	for _, x := range list {
		tone := web.Good
		if x.Status != opening.Active {
			tone = web.Stop
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(memberName(x)), web.T(x.Entity), web.T(vocab.Sectors.Label(x.Sector)),
			{Time: time.UnixMicro(x.Admitted), Day: true}, {Badges: []web.Badge{{Tone: tone, Text: vocab.MemberStatuses.Label(x.Status)}}}}})
	}
	return t
}

func labels(list vocab.List, codes []string) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = list.Label(c)
	}
	return strings.Join(out, "; ")
}

func sentence(c selector.Class) string {
	first, size := utf8.DecodeRuneInString(c.Label())
	return string(unicode.ToUpper(first)) + c.Label()[size:]
}

// duration is a number of seconds in the largest unit that fits it whole.
func duration(seconds int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"day", 86400}, {"hour", 3600}, {"minute", 60}} {
		if n := seconds / u.size; n > 0 && seconds%u.size == 0 {
			if n == 1 {
				return "1 " + u.name
			}
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return fmt.Sprintf("%d seconds", seconds)
}
