package card

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parallax/internal/gateway/due"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/web"
)

// answers are the answers in words, with their tone.
var answers = map[string]web.Badge{
	route.Yes:         {Tone: web.Good, Text: "Yes"},
	route.Conditional: {Tone: web.Wait, Text: "Not yet"},
	route.AskCounsel:  {Tone: web.Wait, Text: "Ask counsel"},
	route.No:          {Tone: web.Stop, Text: "No"},
}

// Badge is an answer in words.
func Badge(answer string) web.Badge { return answers[answer] }

// Show is the decision card: the answer, the duty and the deadline first, then
// the hops, what would change the answer, and why there is no other way. done says
// when duties were done.
func Show(data law.Deployed, x Answered, now time.Time, done map[string]int64) []any {
	a := x.Answer
	out := []any{web.Notice{Tone: answers[a.Answer].Tone, Title: answers[a.Answer].Text + ", as of " + a.AsOf, Text: strings.Join(append(head(a), owed(x, done)...), " ")}}
	out = append(out, Duties(data, x, now, done))
	if ways := again(data, x); ways != nil {
		out = append(out, web.Section{Title: "How the records can reach the court", Body: []any{web.Text("A report of suspicion is not for use in court. The records that it was made of can be obtained again from who holds them:"), ways}})
	}
	for i, r := range a.Routes {
		out = append(out, routeBlock(fmt.Sprintf("Route %d", i+1), data, x, r))
	}
	var possible []any
	for i, r := range a.Conditional {
		possible = append(possible, routeBlock(fmt.Sprintf("Possible route %d", i+1), data, x, r))
	}
	if a.Answer == route.Yes && len(possible) > 0 {
		possible = []any{web.Disclosure{Label: "Other ways, if more were known", Holds: fmt.Sprintf("Holds %d possible routes with what each would need.", len(possible)), Body: possible}}
	}
	out = append(out, possible...)
	if len(a.AskCounsel) > 0 {
		out = append(out, askBlock(data, a))
	}
	return append(out, reasonsBlock(a))
}

// head is the answer in plain sentences, without what stands below.
func head(a route.Answer) []string {
	var out []string
	for _, s := range a.Explanation {
		if !strings.HasPrefix(s, "Whatever you decide") && !strings.HasPrefix(s, "Route ") && !strings.HasPrefix(s, "You would need") {
			out = append(out, s)
		}
	}
	return out
}

// owed says in a sentence each what the holder must do whatever it asked, and by
// when, so that answer, duty and deadline stand in one place on any screen.
func owed(x Answered, done map[string]int64) (out []string) {
	for _, d := range x.Answer.Duties {
		if done[d.ID] != 0 {
			continue
		}
		when := d.Obligations["deadline"]
		for _, c := range x.Deadlines {
			switch {
			case c.Gateway != d.ID:
			case c.Due.IsZero():
				when = c.Rule
			default:
				when = "by " + local(c.Due, x.Query.Place)
			}
		}
		s := "Whatever you decide, your duty: " + d.Title
		if when != "" {
			s += ", " + when
		}
		out = append(out, s+".")
	}
	return out
}

// again lists the ways to obtain the records anew, where what is asked for stems
// from reports of suspicion and would go to a court.
func again(data law.Deployed, x Answered) any {
	if x.Asked.To != law.Court || x.Answer.Answer == route.Yes || !slices.Contains(law.OfSuspicion(), x.Asked.Wants) {
		return nil
	}
	l := web.List{Label: "Ways to obtain the records again"}
	for _, way := range law.Resourcing(data.Finder, "au.fsp", x.Asked.AsOf) {
		first, _ := data.Finder.Gateway(way.IDs[0])
		l.Items = append(l.Items, web.Cell{Text: "From " + data.Finder.Label("au.fsp") + ": " + first.Title, Note: way.String()})
	}
	if l.Items == nil {
		return nil
	}
	return l
}

// Duties is what the holder must do whatever it asked, by when.
func Duties(data law.Deployed, x Answered, now time.Time, done map[string]int64) web.Table {
	t := web.Table{ID: "duties", Caption: "Duties and deadlines", Columns: web.Cols("Duty", "By when", "State", "What it says"),
		Empty: web.Empty{What: "What the giver must do whatever it decides appears here.", When: "Nothing known makes a duty of the data set apply; a fact may."},
		Note:  "Deadlines are counted in local time, without weekends and public holidays. Calendars are illustrative; needs review by counsel."}
	byID := map[string]Deadline{}
	for _, d := range x.Deadlines {
		byID[d.Gateway] = d
	}
	for _, d := range x.Answer.Duties {
		t.Rows = append(t.Rows, dutyRow(d.ID, d.Title, d.Citation, d.Obligations, byID, x.Query, now, done))
		delete(byID, d.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		if g, ok := data.Finder.Gateway(id); ok {
			t.Rows = append(t.Rows, dutyRow(id, g.Title, g.Citation, g.Obligations, byID, x.Query, now, done))
		}
	}
	return t
}

func dutyRow(id, title, citation string, obligations map[string]string, byID map[string]Deadline, q Query, now time.Time, done map[string]int64) web.Row {
	when, state := web.T(obligations["deadline"]), web.Cell{Text: ""}
	if d, ok := byID[id]; ok {
		when = web.Cell{Text: d.Rule, Note: strings.TrimPrefix(strings.Join(append([]string{d.Note}, d.Skipped...), "; "), "; ")}
		if !d.Due.IsZero() {
			when = web.Cell{Text: local(d.Due, q.Place), Note: strings.TrimSuffix(d.Rule+"; "+when.Note, "; ")}
		}
		var at time.Time
		if n := done[id]; n != 0 {
			at = time.UnixMicro(n)
		}
		state = web.Cell{Badges: []web.Badge{stateBadge(d, now, at)}}
	} else if when.Text != "" {
		when.Note = "Say when the clock started to have it counted."
	}
	says := []string{}
	for _, k := range slices.Sorted(maps.Keys(obligations)) {
		if k != "deadline" {
			says = append(says, Words(k)+": "+obligations[k])
		}
	}
	return web.Row{Tone: web.Wait, Cells: []web.Cell{{Text: title, Note: id + ", " + citation}, when, state, web.T(strings.Join(says, "; "))}}
}

// local is a moment in the place where it is counted.
func local(t time.Time, place string) string {
	if zone, err := due.Zone(place); err == nil {
		t = t.In(zone)
	}
	return t.Format("Monday 2 January 2006, 15:04 MST")
}

func stateBadge(d Deadline, now, done time.Time) web.Badge {
	switch s := d.State(now, done); s {
	case Met:
		return web.Badge{Tone: web.Good, Text: "Done in time"}
	case Missed:
		return web.Badge{Tone: web.Stop, Text: "Done late"}
	case Late:
		return web.Badge{Tone: web.Stop, Text: "Late"}
	}
	if d.Due.IsZero() {
		return web.Badge{Tone: web.Wait, Text: "Due, not counted"}
	}
	return web.Badge{Tone: web.Wait, Text: "Due"}
}

var modes = map[string]string{route.ModeMandatory: "must", route.ModePermissive: "may", route.ModeCompelled: "must, once served"}

func routeBlock(title string, data law.Deployed, x Answered, r route.Route) web.Section {
	t := web.Table{ID: "r-" + strings.ToLower(strings.Join(r.IDs, "-")), Caption: title + ": " + strings.Join(r.IDs, ", then "),
		Columns: web.Cols("Hop", "Under", "What the recipient then holds", "Conditions", "Duties and secrecy")}
	for i, h := range r.Hops {
		var duties []string
		for _, k := range slices.Sorted(maps.Keys(h.Obligations)) {
			duties = append(duties, Words(k)+": "+h.Obligations[k])
		}
		duties = append(duties, h.Marks...)
		if g, ok := data.Finder.Gateway(h.PairsWith); ok {
			duties = append(duties, "what it secures can be had later under "+g.ID+" ("+g.Title+")")
		}
		verb := modes[h.Mode] + " tell "
		if h.Kind == route.KindDemand {
			verb = "may serve an instrument on "
		}
		from, to := data.Finder.Label(h.From), data.Finder.Label(h.To)
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: fmt.Sprintf("%d. %s %s%s", i+1, from, verb, to)}, {Text: h.Title, Note: h.ID + ", " + h.Citation + "; confidence " + h.Confidence},
			web.T(Words(strings.Join(h.Passes, ", "))), web.T(h.Conditions), web.T(strings.Join(duties, "; "))}})
	}
	body := []any{}
	if len(r.Unmet) > 0 {
		need := web.List{Label: "You would need"}
		for _, u := range r.Unmet {
			need.Items = append(need.Items, web.Cell{Text: meaning(data, u), Note: u})
		}
		body = append(body, need)
	}
	return web.Section{Title: title, Body: append(body, t)}
}

// meaning is what a fact says, or a state that two bodies must share.
func meaning(data law.Deployed, fact string) string {
	if states, ok := strings.CutPrefix(fact, "both_in:"); ok {
		return "both bodies are in the same one of " + strings.ReplaceAll(states, "|", ", ")
	}
	return data.Finder.Law().Vocabulary.Facts[strings.TrimPrefix(fact, "not:")]
}

func askBlock(data law.Deployed, a route.Answer) web.Section {
	l := web.List{Label: "Uncertain law"}
	for _, id := range a.AskCounsel {
		g, _ := data.Finder.Gateway(id)
		l.Items = append(l.Items, web.Cell{Text: g.Title, Note: id + ", " + g.Citation + ": " + g.Conditions})
	}
	return web.Section{Title: "Ask counsel before anything is sent", Body: []any{l}}
}

func reasonsBlock(a route.Answer) web.Section {
	l := web.List{Label: "Reasons and warnings", Empty: web.Empty{What: "Reasons and warnings appear here.", When: "A prohibition matches, a row is out of its dates, or there is no direct way.", Good: "Empty means that nothing speaks against what stands above."}}
	for _, r := range a.Reasons {
		l.Items = append(l.Items, web.T(r))
	}
	return web.Section{Title: "Reasons and warnings", Body: []any{l}}
}

// Facts lists the facts that could change the answer, each with links that ask
// again. path is the page's.
func Facts(data law.Deployed, x Answered, path string) web.Section {
	said := map[string]string{}
	for _, f := range x.Asked.Facts {
		if name, not := strings.CutPrefix(f, "not:"); not {
			said[name] = "does not hold"
		} else {
			said[f] = "holds"
		}
	}
	t := web.Table{ID: "facts", Caption: "Facts that could change the answer", Columns: web.Cols("Fact", "Now", "Ask again if it holds", "If it does not", "If nobody knows"), Filter: "Find a fact",
		Note:  "A fact that is not known never counts as true. Say only what somebody will stand for.",
		Empty: web.Empty{What: "Facts appear here.", When: "A row of law that leaves the giver asks for one."}}
	for _, f := range Relevant(data.Finder, x) {
		now := said[f]
		if now == "" {
			now = "not known"
		}
		link := func(label, say string) web.Cell {
			if now == label || now == "not known" && say == "" {
				return web.T("")
			}
			return web.L(label, path+"?"+x.Query.with(f, say).Values().Encode())
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: data.Finder.Law().Vocabulary.Facts[f], Note: f}, web.T(now), link("holds", "yes"), link("does not hold", "no"), link("is not known", "")}})
	}
	return web.Section{Title: "What would change this answer", Body: []any{t}}
}

// Relevant are the facts that were said, those that possible routes lack, and
// those that rows leaving the giver for this purpose ask for.
func Relevant(f *route.Finder, x Answered) []string {
	in := map[string]bool{}
	for _, s := range x.Asked.Facts {
		in[strings.TrimPrefix(s, "not:")] = true
	}
	for _, r := range x.Answer.Conditional {
		for _, u := range r.Unmet {
			if !strings.HasPrefix(u, "both_in:") {
				in[u] = true
			}
		}
	}
	for _, g := range f.Law().Gateways {
		if slices.Contains(g.From, x.Asked.From) && slices.Contains(g.Purposes, x.Asked.Purpose) {
			for _, n := range slices.Concat(g.Needs, g.Unless) {
				in[n] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(in))
}

// Source says which law data answered and who signed it; what nobody signed says
// so.
func Source(data law.Deployed, versions string) web.Section {
	signed := web.Cell{Text: "nobody", Note: "Illustrative; needs review by counsel before anybody acts on it."}
	if data.SignedBy != nil {
		to := data.Statement.EffectiveTo
		if to == "" {
			to = "another version"
		}
		signed = web.Cell{Text: strings.Join(data.SignedBy, " and "), Note: "effective " + data.Statement.EffectiveFrom + " to " + to}
	}
	version := web.Cell{Text: data.Set.Meta.DataVersion, Note: data.Set.Meta.Review}
	if versions != "" {
		version.Href = versions
	}
	return web.Section{Title: "Which law data answered", Body: []any{web.Facts{{Label: "Version", Value: version}, {Label: "Signed by", Value: signed},
		{Label: "Rows", Value: web.N(int64(len(data.Set.Gateways)))}, {Label: "SHA-256", Value: web.Cell{Code: true, Text: data.Digest}}}}}
}

// Page is the question with its answer, or the question alone. extra stands after
// the card, where something was answered.
func Page(data law.Deployed, q Query, asked bool, path, versions string, now time.Time, extra func(Answered) []any) web.View {
	view := web.View{Title: "Routes", Question: "May I share this, with whom, under what, as of when?"}
	form := Form(data, q, path)
	if !asked {
		view.Data = []any{web.Text("Ask before you send. The answer names the lawful way, its duties and deadlines, or why there is none. What no row of law permits is not permitted."), form, Source(data, versions)}
		return view
	}
	x, err := Ask(data, q)
	if err != nil {
		view.Problems = problems(err)
		view.Data = []any{form, Source(data, versions)}
		return view
	}
	from, to := data.Finder.Label(x.Asked.From), data.Finder.Label(x.Asked.To)
	view.Title = fmt.Sprintf("%s: %s to %s", Badge(x.Answer.Answer).Text, Words(x.Asked.Wants), q.Question.To)
	view.Question = fmt.Sprintf("May %s give %s to %s for %s on %s?", from, Words(x.Asked.Wants), to, Words(x.Asked.Purpose), x.Answer.AsOf)
	view.Crumbs = []web.Link{{Label: "Routes", Href: path}}
	view.Data = append(Show(data, x, now, nil), Facts(data, x, path))
	body := view.Data.([]any)
	if extra != nil {
		body = append(body, extra(x)...)
	}
	view.Data = append(body, web.Section{Title: "Ask again", Body: []any{form}}, Source(data, versions))
	return view
}
