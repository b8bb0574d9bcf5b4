package identity

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/internal/web"
	"parallax/opening"
)

// functionLabels are functions in words.
var functionLabels = map[Function]string{Contributes: "Contributor", Receives: "Authority", HoldsKey: "Key holder", Oversees: "Oversight",
	Operates: "Operator", Witnesses: "Witness", Audits: "Auditor"}

// Members answers: who may do what here, and who says so? policies are the
// manifests of the pool, oldest first.
func (p *Pages) Members(w http.ResponseWriter, r *http.Request, policies []opening.Manifest) error {
	list, err := p.s.Organisations(r.Context())
	if err != nil {
		return err
	}
	return p.blocks(w, r, web.View{Title: "Members and policy", Question: "Who may do what here, and who says so?", Data: []any{
		web.Text("The policy says which organisations' keys count; a quorum of governors signs it. What an organisation is, where it answers to law, and for how long it is accredited, the same quorum signs beside it. The operator of the hub is in neither."),
		organisationMatrix(list), accreditations(list), policyList(policies, p.s.o.Clock.Now()),
		web.Section{Title: "Roles of people", ID: "roles", Body: []any{rolesTable(), web.Text("Nobody both approves and reads; who runs a key holder reads and approves nothing; an auditor does not audit itself. An administrator acts on people of its own organisation only, and never on itself.")}},
	}})
}

func organisationMatrix(list []Organisation) web.Table {
	t := web.Table{Caption: "Organisations and what they are there for", Filter: "Show organisations with the words", Columns: web.Cols("Organisation"),
		Note: "Keys come from the policy in force. Witness and auditor need no key there, so an accreditation gives them."}
	for _, f := range functions {
		t.Columns = append(t.Columns, web.Column{Label: functionLabels[f]})
	}
	t.Columns = append(t.Columns, web.Column{Label: "State"})
	for _, o := range list {
		row := web.Row{Cells: []web.Cell{web.T(o.Name)}}
		if o.Entity != o.Name {
			row.Cells[0].Note = o.Entity
		}
		for _, f := range functions {
			c := web.Cell{}
			if slices.Contains(o.Functions, f) {
				c.Text = "Yes"
			}
			row.Cells = append(row.Cells, c)
		}
		state := web.Cell{Badges: []web.Badge{{Tone: web.Good, Text: "Let in"}}}
		if o.Stopped != "" {
			state = web.Cell{Badges: []web.Badge{{Tone: web.Stop, Text: "Kept out"}}, Note: o.Stopped}
		}
		t.Rows = append(t.Rows, web.Row{Cells: append(row.Cells, state)})
	}
	return t
}

func accreditations(list []Organisation) web.Table {
	t := web.Table{Caption: "Accreditation", Columns: web.Cols("Organisation", "Kind", "Jurisdictions", "Sector", "From", "Until", "Version"),
		Note: "An organisation in the policy counts without an accreditation; its people are then let in by what the policy says.",
		Empty: web.Empty{What: "What governance has signed about organisations appears here.", When: "The quorum signs the first accreditation.",
			Good: "The policy alone says which keys count, so nothing stands still without one."}}
	for _, o := range list {
		if !o.Accredited() {
			continue
		}
		c := web.Row{Cells: []web.Cell{web.T(o.Name), web.T(vocab.OrganisationKinds.Label(o.Kind)), web.T(strings.Join(o.Jurisdictions, ", ")), {},
			{Time: o.From, Day: true}, {Time: o.Until, Day: true}, web.N(o.Version)}}
		if o.Sector != "" {
			c.Cells[3] = web.T(vocab.Sectors.Label(o.Sector))
		}
		t.Rows = append(t.Rows, c)
	}
	return t
}

func rolesTable() web.Table {
	t := web.Table{Caption: "What each role may do", Columns: web.Cols("Role", "May do", "At organisations that are")}
	for _, x := range Roles {
		var in []string
		for _, f := range x.In {
			in = append(in, functionLabels[f])
		}
		if x.In == nil {
			in = []string{"Any"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(x.Label), web.T(x.What), web.T(strings.Join(in, "; "))}})
	}
	return t
}

func policyList(policies []opening.Manifest, now time.Time) web.Table {
	t := web.Table{Caption: "Policies, newest first", Columns: web.Cols("Version", "Issued", "Kind of change", "Binds"),
		Note:  "A change that loosens anything is visible for 30 days before it binds; key holders refuse it until then. Suspensions and other tightenings bind at once.",
		Empty: web.Empty{What: "Policies appear here.", When: "The governance quorum signs the first one."}}
	for i := len(policies) - 1; i >= 0; i-- {
		m := policies[i]
		issued := time.UnixMicro(m.Issued)
		kind, binds := web.Badge{Tone: web.Plain, Text: "First"}, web.Cell{Text: "From its issue"}
		switch {
		case i > 0 && opening.Loosens(policies[i-1], m):
			kind, binds = web.Badge{Tone: web.Wait, Text: "Loosens"}, web.Cell{Time: issued.Add(opening.LooseningDelay), Note: bindsNote(issued.Add(opening.LooseningDelay), now)}
		case i > 0:
			kind = web.Badge{Tone: web.Good, Text: "Tightens or keeps"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.L(fmt.Sprintf("Version %d", m.Version), fmt.Sprintf("/members/policy/%d", m.Version)), web.At(issued), {Badges: []web.Badge{kind}}, binds}})
	}
	return t
}

const day = 24 * time.Hour

func bindsNote(at, now time.Time) string {
	if now.Before(at) {
		return "Not yet: " + strconv.Itoa(int((at.Sub(now)+day-1)/day)) + " days to go"
	}
	return "Binds"
}

// Policy answers: what did this version change?
func (p *Pages) Policy(w http.ResponseWriter, r *http.Request, policies []opening.Manifest) error {
	n, err := strconv.Atoi(r.PathValue("version"))
	i := slices.IndexFunc(policies, func(m opening.Manifest) bool { return m.Version == n })
	if err != nil || i < 0 {
		return fault.New(fault.NotFound, "There is no such policy.")
	}
	m := policies[i]
	v := web.View{Title: fmt.Sprintf("Policy, version %d", m.Version), Question: "What did this version change?", Crumbs: []web.Link{{Label: "Members and policy", Href: "/members"}}}
	if i == 0 {
		v.Data = []any{web.Text("This is the first policy, so there is nothing to compare it with. It was issued on " + web.Moment(time.UnixMicro(m.Issued)) + "."), web.Link{Label: "The policy in force", Href: "/keys#policy-in-force"}}
		return p.blocks(w, r, v)
	}
	loosens := opening.Loosens(policies[i-1], m)
	title, tone, text := "It tightens, or keeps what was allowed, and binds from its issue.", web.Good, ""
	if loosens {
		at := time.UnixMicro(m.Issued).Add(opening.LooseningDelay)
		title, tone, text = "It loosens what was allowed.", web.Wait, "Issued on "+web.Moment(time.UnixMicro(m.Issued))+"; key holders refuse it until "+web.Moment(at)+"."
	}
	t := web.Table{Caption: fmt.Sprintf("Changes from version %d", policies[i-1].Version), Columns: web.Cols("What", "Before", "After", "Effect"),
		Empty: web.Empty{What: "Changes appear here.", When: "A version changes more than its number.", Good: "Nothing that anybody may do has changed."}}
	for _, c := range Changes(policies[i-1], m) {
		badge := web.Badge{Tone: web.Good, Text: "Tightens or neutral"}
		if c.Loosens {
			badge = web.Badge{Tone: web.Wait, Text: "Loosens"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(c.What), web.T(c.Before), web.T(c.After), {Badges: []web.Badge{badge}}}})
	}
	v.Data = []any{web.Notice{Tone: tone, Title: title, Text: text}, t}
	return p.blocks(w, r, v)
}
