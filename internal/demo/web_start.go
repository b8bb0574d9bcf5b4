package demo

import (
	"net/http"

	"parallax/internal/web"
)

func (x *site) start(w http.ResponseWriter, r *http.Request) error {
	facts, err := x.standing(r)
	if err != nil {
		return err
	}
	body := []any{
		web.Section{Title: "What is going on", Body: []any{web.List{Label: "In six lines", Items: []web.Cell{
			web.T("Fourteen simulated organisations noticed something about people. None may show its file to another, and one file alone is rarely enough to act on."),
			web.T("Each organisation's desk turned the identifiers in its own file into tags that mean nothing to anyone else, with the help of key holders of whom no one alone can make a tag or open anything."),
			web.T("The hub holds the tags and sealed boxes. It sees which tags coincide; it can read none of them."),
			web.T("Where at least three organisations of two sectors hold enough about the same tag, a lead is ready: an opaque number and the conditions that it meets."),
			web.T("It opens only if the authority asks on a legal basis, an oversight body agrees, the log shows both, and two of three key holders find all of that true by themselves."),
			web.T("Then the police centre alone reads it, as an unverified report. Whoever contributed learns nothing from it."),
		}}}},
		web.Actions{{Label: "Follow one lead, from a file to the police desk", Href: "/follow", Primary: true}, {Label: "See the five stops", Href: "/stops/alone"}},
		web.Section{Title: "Where things stand", Body: []any{facts, x.clockAction("/"),
			web.Text("All parts share one simulated clock. Nothing moves in the log or opens between its ticks; the button moves the clock to the next release time.")}},
		x.stops(), x.roles(),
	}
	return x.show(w, r, web.View{Title: "Parallax in one machine", Question: "What is going on here, and where do I begin?", Data: body})
}

func (x *site) clockAction(from string) web.Actions {
	return web.Actions{{Label: "Go to the next release", Href: "/clock", Post: true, Hidden: []web.Hidden{{Name: "back", Value: from}}}}
}

// standing are the live facts of the whole.
func (x *site) standing(r *http.Request) (web.Facts, error) {
	st, err := x.s.hubStatus(r.Context())
	if err != nil {
		return nil, err
	}
	box, err := x.inbox(r.Context())
	if err != nil {
		return nil, err
	}
	released := 0
	for _, o := range box.Openings {
		if o.State == "released" {
			released++
		}
	}
	return web.Facts{
		{Label: "Time on everybody's clock", Value: web.At(x.s.clock.Now())},
		{Label: "Observations contributed", Value: web.N(int64(x.s.sent.Observations))},
		{Label: "Leads ready and not requested", Value: web.N(int64(len(box.Leads)))},
		{Label: "Openings requested", Value: web.N(int64(len(box.Openings)))},
		{Label: "Openings released", Value: web.N(int64(released))},
		{Label: "Entries in the witnessed log", Value: web.N(st.LogSize)},
	}, nil
}

func (x *site) stops() web.Section {
	row := func(label, href, what string) web.Row {
		return web.Row{Cells: []web.Cell{web.L(label, href), web.T(what)}}
	}
	return web.Section{Title: "Five stops and a mistake", Body: []any{web.Table{Caption: "What there is to see", Columns: web.Cols("Stop", "What it shows"), Rows: []web.Row{
		row("1. "+title(x.member())+" alone", "/stops/alone", "What one member's own file says, and why it was not enough."),
		row("2. What the hub holds", "/stops/hub", "The same line as the hub has it: tags, a sealed box, nothing to read."),
		row("3. What a contributor sees", "/stops/contributor", "A receipt. Nothing new, whatever others hold."),
		row("4. The lead at the police desk", "/stops/police", "What was opened, and the question that comes first: could this be a child?"),
		row("5. Open it without approval", "/stops/refusal", "A button that really tries, and what each key holder answers."),
		row("A false lead", "/mistake", "A member finds its mistake and takes the row back; the lead goes."),
	}}}}
}

// member is whose file the walk begins with.
func (x *site) member() string {
	if len(x.followed) > 0 {
		return x.followed[0].Organisation
	}
	return "bank-a"
}

func (x *site) roles() web.Section {
	var rows []web.Row
	add := func(who web.Cell, may string, also web.Cell) {
		rows = append(rows, web.Row{Cells: []web.Cell{who, web.T(may), also}})
	}
	for _, id := range served {
		switch id {
		case authorityID:
			add(x.deskLink(id, title(id)), "The authority: asks for leads, approves, and alone reads what is released. It contributes as well.", x.hubLink("At the hub", "authority", "", "/"))
		case overseerID:
			add(x.deskLink(id, title(id)), "Agrees to a request or does not. It reads nothing.", x.hubLink("At the hub", "oversight", "", "/"))
		default:
			add(x.deskLink(id, title(id)), "Contributes its own file; sees its own receipts and nothing of others.", x.hubLink("At the hub", "contributor", id, "/"))
		}
	}
	for _, h := range x.s.plan.Holders {
		add(web.L(holderTitle(h.ID), h.URL+"/"), "Holds one of three key shares; two are needed. Decides every opening by itself.", web.Cell{})
	}
	add(x.hubLink("Programme lead", "programme-lead", "", "/baseline"), "Sees how much there may be and what moved, with every doubt; proposes counts and registers interventions. Sees no lead.",
		x.hubLink("Displacement", "programme-lead", "", "/displacement"))
	add(x.hubLink("Auditor", "auditor", "", "/"), "Checks the log, the keys and the policy.", web.L("Log", x.s.plan.Hub.URL+"/log"))
	add(web.L("Hub", x.s.plan.Hub.URL+"/"), "Runs the pool. Sees tags and sealed boxes.", web.L("Keys", x.s.plan.Hub.URL+"/keys"))
	return web.Section{Title: "Take a role", Body: []any{
		web.Text("Every row is a program of its own on this machine. These identities exist only here and answer only on this machine."),
		web.Table{Caption: "Who is who", Columns: web.Cols("Open the page of", "What this role does", "Elsewhere"), Rows: rows}}}
}
