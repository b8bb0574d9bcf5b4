package demo

import (
	"fmt"
	"net/http"
	"strings"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/sim"
	"parallax/internal/web"
)

// stopAlone: what one member knew alone.
func (x *site) stopAlone(w http.ResponseWriter, r *http.Request) error {
	id := x.member()
	name := title(id)
	var rep desk.Report
	if err := x.s.checkFile(r.Context(), id, &rep); err != nil {
		return err
	}
	classes := web.Table{Caption: "Identifiers in the file", Columns: []web.Column{{Label: "Kind"}, {Label: "Usable", Numeric: true}, {Label: "Stopped", Numeric: true}, {Label: "Unreadable", Numeric: true}},
		Empty: web.Empty{What: "The kinds of identifier in the file appear here.", When: "The file has rows."},
		Note:  "Stopped: placeholders and values that many people share, which would link strangers."}
	for _, c := range rep.Classes {
		classes.Rows = append(classes.Rows, web.Row{Cells: []web.Cell{web.T(c.Label), web.N(int64(c.Accepted)), web.N(int64(c.Stopped)), web.N(int64(c.Refused))}})
	}
	body := []any{web.Text("Before anything is sent, " + name + " can check what its own file would contribute. That needs no pool and sends nothing. The check below has just run over its file.")}
	body = append(body, web.Facts{{Label: "File", Value: web.Cell{Text: x.s.exportOf(id), Code: true}}, {Label: "Lines", Value: web.N(int64(rep.Rows))}, {Label: "Would make observations", Value: web.N(int64(rep.Observations))}})
	if len(x.followed) > 0 {
		rows, points := x.about(x.followed[0])
		body = append(body, web.Section{Title: "Why it was not enough", Body: []any{
			web.Text(fmt.Sprintf("About the person whom the followed lead is about, this file has %d of its %d lines, together %d points of the 5 that one organisation needs here to open a case of its own. It cannot know that others hold lines about the same person.", rows, rep.Rows, points)),
			web.Facts{{Label: "Own cases that its points allow", Value: web.Tf("%d of %s simulated offenders", x.ownCases(id), web.Number(int64(len(x.s.data.Truth.Actors))))}}}})
	}
	body = append(body, classes, web.List{Label: "Look for yourself", Items: []web.Cell{x.deskLink(id, "The desk of "+name)}}, nextStop("Next: what the hub holds", "/stops/hub"))
	return x.show(w, r, web.View{Title: "1. What " + name + " knew alone", Question: "What does one member's own file say, and is it enough?", Data: body})
}

// stopHub: what the hub holds.
func (x *site) stopHub(w http.ResponseWriter, r *http.Request) error {
	var labels []string
	if l, ok := x.labels[first(x.followed)]; ok {
		labels = append(labels, l.String())
	}
	held, err := x.s.hubShow(r.Context(), labels...)
	if err != nil {
		return err
	}
	body := []any{web.Text("The hub's operator can read its database. This is all that there is in it about people: tags and sealed boxes. The counts below were just read from it."),
		web.Facts{{Label: "Observations", Value: web.N(held.Observations)}, {Label: "Different tags", Value: web.N(held.Tags)}, {Label: "Tags that two organisations or more hold", Value: web.N(held.SharedTags)}}}
	if len(held.Shown) == 1 {
		body = append(body, web.Section{Title: "One observation", Body: []any{web.Text("The line of " + title(x.member()) + " from the walk, as the hub has it:"),
			web.Code{Label: "Tags", Text: strings.Join(held.Shown[0].Tags, "\n")},
			web.Code{Label: fmt.Sprintf("First bytes of its sealed box of %d bytes", held.Shown[0].BoxBytes), Text: held.Shown[0].BoxBegins}}})
	}
	body = append(body, web.Section{Title: "What this means", Body: []any{web.Text("The hub does learn that a member has something about a person, and which tags coincide. It does not learn about whom: a tag can be made only with two of the three key holders, who count what each member asks. This limit is written down and not hidden.")}},
		web.List{Label: "Look for yourself", Items: []web.Cell{web.L("The hub's log", x.s.plan.Hub.URL+"/log"), web.L("The key holders and the policy", x.s.plan.Hub.URL+"/keys")}},
		nextStop("Next: what a contributor sees", "/stops/contributor"))
	return x.show(w, r, web.View{Title: "2. What the hub holds", Question: "What can whoever runs the hub see?", Data: body})
}

// stopContributor: nothing new.
func (x *site) stopContributor(w http.ResponseWriter, r *http.Request) error {
	id := x.member()
	name := title(id)
	var st desk.Status
	if err := x.s.deskJSON(r.Context(), id, &st, "status", "--json"); err != nil {
		return err
	}
	_, err := x.s.desk(r.Context(), id, "inbox")
	said, ok := asFailed(err)
	if !ok {
		return fault.New(fault.Internal, "A contributor's desk listed leads; the demonstration has failed.")
	}
	body := []any{
		web.Text("This is everything that the desk of " + name + " can tell after all fourteen organisations have contributed. It says the same, in the same number of bytes, whether others hold the same identifiers or nobody does."),
		web.Facts{{Label: "Rows submitted", Value: web.N(int64(st.Rows))}, {Label: "Contributions with a receipt", Value: web.N(int64(st.Contributions))}, {Label: "Not sent yet", Value: web.N(int64(st.Unsent))}},
		web.Section{Title: "Asking for leads", Body: []any{web.Text("It has just asked for the list of leads. The answer, word for word:"),
			web.Notice{Tone: web.Stop, Title: said.Sentence()}}},
	}
	proof, err := x.proof(r, id)
	if err != nil {
		return err
	}
	body = append(body, proof, web.List{Label: "Look for yourself", Items: []web.Cell{x.deskLink(id, "The desk of "+name), x.hubLink("The hub as "+name+" sees it", "contributor", id, "/")}},
		nextStop("Next: the lead at the police desk", "/stops/police"))
	return x.show(w, r, web.View{Title: "3. What a contributor sees", Question: "Does " + name + " learn that others hold something?", Data: body})
}

// proof verifies one of the member's receipts, offline, as anybody could.
func (x *site) proof(r *http.Request, id string) (web.Section, error) {
	sec := web.Section{Title: "Its receipt"}
	dir := x.s.path("receipts", id)
	out, err := x.s.desk(r.Context(), id, "receipts", "--out", dir)
	if err != nil {
		return sec, refusal(err)
	}
	files := strings.Fields(string(out))
	if len(files) == 0 {
		sec.Body = []any{web.Empty{What: "The receipts appear here.", When: "The desk has submitted something and the log has been witnessed."}}
		return sec, nil
	}
	said, err := x.s.prog.run(r.Context(), "verify", files[0], "--pin", x.s.pin)
	if err != nil {
		return sec, refusal(err)
	}
	sec.Body = []any{web.Text("What it got is a promise that its batch is in a log that the key holders witness. It has just been verified offline:"), web.Code{Label: "parallax verify", Text: trimmed(said)}}
	return sec, nil
}

// stopPolice: the lead at the police desk.
func (x *site) stopPolice(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "4. The lead at the police desk", Question: "Is this enough to act, and could this be a child?"}
	p, err := x.where(r.Context(), first(x.followed))
	if err != nil {
		return err
	}
	if p.Read == nil {
		view.Data = []any{web.Empty{What: "What the police centre reads of the followed lead appears here.", When: "The lead is requested, approved twice, released and read: nine steps, most of them a button.",
			Action: &web.Link{Label: "Follow the lead", Href: "/follow"}, Good: "Until then nobody can read it, this page included."},
			nextStop("Next: try to open it without approval", "/stops/refusal")}
		return x.show(w, r, view)
	}
	body := []any{web.Text("Only this desk has the key that the shares were sealed to. The question of the first line comes before all others: every lead is asked it, and a lead in which a contributor says so opens on that playbook only.")}
	view.Data = append(append(body, x.opened(*p.Read)...), nextStop("Next: try to open one without approval", "/stops/refusal"))
	return x.show(w, r, view)
}

// stopRefusal: the attempt and what the holders say.
func (x *site) stopRefusal(w http.ResponseWriter, r *http.Request) error {
	x.mu.Lock()
	tried := x.tried
	x.mu.Unlock()
	body := []any{web.Text("Suppose that the hub itself has been taken over. It then has every tag and box, and every request that the authority ever signed. The button makes it put three forged openings before each key holder. They are not asked to be kind: each decides by itself, from what it knows."),
		web.Actions{{Label: "Try to open it without approval", Href: "/stops/refusal", Post: true, Primary: true}}}
	for _, a := range tried {
		t := web.Table{Caption: a.What, Columns: web.Cols("Holder", "Answer, word for word")}
		for _, y := range a.Answers {
			c := web.T(y.Said)
			if y.Released {
				c.Badges = []web.Badge{{Tone: web.Stop, Text: "released: the demonstration has failed"}}
			}
			t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(holderTitle(y.Holder)), c}})
		}
		body = append(body, t)
	}
	if len(tried) == 0 {
		body = append(body, web.Empty{What: "The key holders' answers appear here, word for word.", When: "You press the button."})
	}
	var holders []web.Cell
	for _, h := range x.s.plan.Holders {
		holders = append(holders, web.L(holderTitle(h.ID), h.URL+"/"))
	}
	body = append(body, web.List{Label: "The holders' own pages", Items: holders}, nextStop("Next: a false lead", "/mistake"))
	return x.show(w, r, web.View{Title: "5. Try to open it without approval", Question: "What if whoever runs the hub wants to read a lead?", Data: body})
}

func (x *site) postRefusal(w http.ResponseWriter, r *http.Request) error {
	p, err := x.where(r.Context(), first(x.spare))
	if err == nil {
		err = x.act(func() error {
			lead, playbook := "", ""
			if p.Lead != nil && p.Opening == nil {
				lead, playbook = p.Lead.ID, p.Lead.Playbook
			}
			real, err := x.s.realRequest(r.Context(), lead, playbook)
			if err != nil {
				return err
			}
			tried, err := x.s.attack(r.Context(), real)
			if err != nil {
				return err
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			x.tried = tried
			return nil
		})
	}
	return done(w, r, err, "/stops/refusal", "No key holder was asked.")
}

// held reads one observation from the hub's database.
func (x *site) held(r *http.Request, ref sim.Ref) (hub.HeldObservation, error) {
	held, err := x.s.hubShow(r.Context(), x.labels[ref].String())
	if err != nil {
		return hub.HeldObservation{}, err
	}
	if len(held.Shown) != 1 {
		return hub.HeldObservation{}, fault.New(fault.NotFound, "The hub does not hold this observation.")
	}
	return held.Shown[0], nil
}
