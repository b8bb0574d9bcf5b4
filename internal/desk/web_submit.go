package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/vocab"
	"parallax/internal/web"
)

// planned is what a submission of a work would do, as it was last worked out.
type planned struct {
	round int // of the reading that it belongs to
	busy  bool
	plan  Plan
	err   error
}

// planOf works out what a submission would do: at once for a small file, beside
// the requests for a large one.
func (s *Site) planOf(w *work) *planned {
	v := s.view(w)
	if v.size > direct && v.plan != nil && v.plan.round == v.round {
		return v.plan
	}
	do := func() *planned {
		p := &planned{round: v.round}
		p.plan, p.err = s.desk.Plan(s.ctx, w.in, v.mapping)
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.round == v.round {
			w.plan = p
		}
		return p
	}
	if v.size <= direct {
		return do()
	}
	busy := &planned{round: v.round, busy: true}
	s.mu.Lock()
	w.plan = busy
	s.mu.Unlock()
	s.jobs.Go(func() { do() })
	return busy
}

// plan shows exactly what would be submitted. It changes nothing.
func (s *Site) plan(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	p := s.planOf(work)
	at := "/submit/" + work.id
	view := web.View{Title: "What would be submitted", Question: "Who would see what of " + work.in.Name() + "?",
		Crumbs: []web.Link{{Label: "Check a file", Href: "/check"}, {Label: work.in.Name(), Href: "/check/" + work.id}}}
	switch {
	case p.busy:
		view.Data = []any{web.Notice{Tone: web.Info, Title: "A large file is being read", Text: "Look again in a moment.", Links: []web.Link{{Label: "Look again", Href: at}}}}
		return s.blocks(w, r, http.StatusOK, view)
	case p.err != nil:
		return p.err
	}
	view.Data = s.planBlocks(p.plan, at)
	return s.blocks(w, r, http.StatusOK, view)
}

func (s *Site) planBlocks(p Plan, at string) []any {
	facts := web.Facts{
		{Label: "New observations", Value: web.N(int64(p.Observations))},
		{Label: "Submitted before, or twice in the file", Value: web.N(int64(p.Done))},
		{Label: "Rows that make none", Value: web.Cell{Text: web.Number(int64(p.Skipped)), Note: whyText(p.Why)}},
	}
	out := []any{facts, p.classTable()}
	if p.Example != nil {
		out = append(out, exampleBlocks(*p.Example))
	}
	if p.Law != nil {
		out = append(out, p.Law.blocks())
	}
	switch {
	case p.LawRefusal != "":
		out = append(out, web.Notice{Tone: web.Stop, Title: "The gateway refuses", Text: p.LawRefusal, Links: []web.Link{{Label: "See what the law data says", Href: "/routes"}}})
	case !p.Fits():
		out = append(out, web.Notice{Tone: web.Stop, Title: "Too much for today", Text: p.TooMuch()})
	case p.Observations == 0:
		out = append(out, web.Notice{Tone: web.Info, Title: "There is nothing new to submit", Text: "Every row that can be used was submitted before.",
			Links: []web.Link{{Label: "What was sent", Href: "/sent"}}})
	default:
		out = append(out, web.Section{Title: "Submit", Body: []any{web.Form{Label: "Submit", Action: at, Submit: "Submit " + observations(p.Observations),
			Careful: true, Cancel: "/sent", Hidden: []web.Hidden{{Name: "shown", Value: p.shown()}},
			Fields: []web.Field{{Name: "basis", Label: "Reference of your own", Optional: true, MaxLength: 60,
				Help: "It is recorded with every evaluation, after the gateway's decision and the day."}},
			Note: "Signs and sends what is shown above. It can be withdrawn later; it cannot be made unsent."}}})
	}
	return out
}

func whyText(why map[string]int) string {
	parts := make([]string, 0, len(why))
	for text, n := range why {
		unit := " rows: "
		if n == 1 {
			unit = " row: "
		}
		parts = append(parts, web.Number(int64(n))+unit+text)
	}
	sort.Strings(parts)
	return strings.Join(parts, "; ")
}

func (p Plan) classTable() web.Table {
	t := web.Table{Caption: "Points charged, against what is left of today's budget",
		Columns: []web.Column{{Label: "Class"}, {Label: "Identifiers not evaluated before", Numeric: true}, {Label: "Points charged", Numeric: true},
			{Label: "Left today", Numeric: true}, {Label: "A day", Numeric: true}, {Label: "Fits"}},
		Note:  "Key holders evaluate identifiers blinded, in batches padded to a power of two (at least 256), and charge every point. What was charged before a break is free. Budgets renew at 00:00 UTC.",
		Empty: web.Empty{What: "No identifier needs to be evaluated.", When: "New identifiers are listed here with what they cost."}}
	for _, c := range p.Classes {
		left, fits := web.T("not known"), web.Badge{Tone: web.Good, Text: "Fits"}
		if c.LeftKnown {
			left = web.N(int64(c.Left))
		}
		if !c.Fits {
			fits = web.Badge{Tone: web.Stop, Text: "Too much"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(capital(c.Class.Label())), web.N(int64(c.Selectors)), web.N(int64(c.Points)),
			left, web.N(int64(c.Budget)), {Badges: []web.Badge{fits}}}})
	}
	if len(p.Classes) > 0 && !p.asked {
		t.Note += fmt.Sprintf(" Only %d key holders could be asked just now, so what is left today is not known; they decide when the file is submitted.", p.Holders)
	}
	return t
}

// exampleBlocks puts side by side who would see what of the first observation.
func exampleBlocks(e Example) web.Split {
	pool := web.Facts{}
	for _, key := range []string{"organisation", "sector", "origin", "role", "kind", "grade", "strength", "week"} {
		pool = append(pool, web.Fact{Label: capital(key), Value: web.T(worded(key, fmt.Sprint(e.Pool[key])))})
	}
	if v, ok := e.Pool["venue"].(string); ok {
		pool = append(pool, web.Fact{Label: "Venue code", Value: web.Cell{Text: v, Note: "Seen by the hub alone, for counts of movement."}})
	}
	tags, _ := e.Pool["tags"].([]string)
	list := web.List{Label: "Tags"}
	for _, t := range tags {
		list.Items = append(list.Items, web.T(capital(t)))
	}
	return web.Split{
		Main: []any{web.Section{Title: "Seen by the hub and, at an opening, by key holders", Body: []any{
			web.Text(fmt.Sprintf("Line %d as an example. No identifier, name or note is in it: an identifier becomes a tag that only somebody who holds the same identifier can make.", e.Line)), list, pool}}},
		Side: []any{web.Section{Title: "Sealed to the authority", Body: []any{
			web.Text("Read by the authority alone, and only after an opening that law, threshold and log allow."),
			web.Disclosure{Label: "Show what would be sealed", Holds: fmt.Sprintf("Holds the identifiers and the note of line %d of your own file.", e.Line),
				Body: payloadBlocks(e.Payload)}}}},
	}
}

// payloadBlocks shows a payload's fields.
func payloadBlocks(p Payload) []any {
	facts := web.Facts{{Label: "Reference", Value: web.T(p.Reference)}, {Label: "Date", Value: web.T(p.Date)}, {Label: "Role", Value: web.T(worded("role", p.Role))},
		{Label: "Kind", Value: web.T(worded("kind", p.Kind))}, {Label: "Grade", Value: web.T(strings.ToUpper(p.Grade))}, {Label: "Strength", Value: web.N(int64(p.Strength))}, {Label: "Note", Value: web.T(p.Note)}}
	for _, x := range p.identifiers() {
		facts = append(facts, web.Fact{Label: capital(x.Class.Label()), Value: web.Cell{Code: true, Text: x.Value, Note: x.Form}})
	}
	return []any{facts}
}

// identifiers joins the forms that have one value.
func (p Payload) identifiers() []PayloadSelector {
	var out []PayloadSelector
	for _, x := range p.Selectors {
		i := slices.IndexFunc(out, func(y PayloadSelector) bool { return y.Class == x.Class && y.Value == x.Value })
		if i < 0 {
			out = append(out, x)
			continue
		}
		out[i].Form += ", " + x.Form
	}
	return out
}

// worded gives a code as a person reads it.
func worded(field, code string) string {
	switch field {
	case "role":
		return labelOr(vocab.Roles, code)
	case "kind":
		return labelOr(vocab.Kinds, code)
	case "sector":
		return labelOr(vocab.Sectors, code)
	case "grade":
		return strings.ToUpper(code)
	}
	return code
}

// A run is one submission. There is one at a time.
type run struct {
	work  *work // nil: only what was kept before
	title string

	// Owned by Site.mu.
	phase    string // what it does now: "file", "selectors" or "observations"
	done     int
	all      int
	res      Result
	err      error
	finished bool
}

// submit begins a submission of exactly what was shown.
func (s *Site) submit(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	shown, basis := r.PostFormValue("shown"), strings.TrimSpace(r.PostFormValue("basis"))
	m := s.view(work).mapping
	err = s.start(&run{work: work, title: work.in.Name(), phase: "file"}, func(ctx context.Context, progress Progress) (Result, error) {
		p, err := s.desk.Plan(ctx, work.in, m)
		if err != nil {
			return Result{}, err
		}
		if p.shown() != shown {
			return Result{}, fault.New(fault.Conflict, "What would be submitted is not what was shown any more: the file, its mapping or what was sent before has changed. Nothing was sent; look at it again.")
		}
		return s.desk.Submit(ctx, p, basis, progress)
	})
	if err != nil {
		return err
	}
	return web.Redirect(w, r, "/submit")
}

// sendKept sends what was kept before a break, without the file.
func (s *Site) sendKept(w http.ResponseWriter, r *http.Request) error {
	err := s.start(&run{title: "what was kept before a break", phase: "observations"}, func(ctx context.Context, _ Progress) (Result, error) {
		n, err := s.desk.SendKept(ctx)
		return Result{Resent: n}, err
	})
	if err != nil {
		return err
	}
	return web.Redirect(w, r, "/submit")
}

// start runs a submission beside the requests. The same one, asked for twice, is
// started once; another one waits its turn.
func (s *Site) start(x *run, do func(context.Context, Progress) (Result, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil && !s.run.finished {
		if s.run.work == x.work {
			return nil
		}
		return fault.New(fault.Conflict, "Another submission is running: "+s.run.title+". One runs at a time; this one was not started.")
	}
	s.run = x
	s.jobs.Go(func() {
		res, err := do(s.ctx, func(what string, done, all int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			x.phase, x.done, x.all = what, done, all
		})
		s.mu.Lock()
		defer s.mu.Unlock()
		x.res, x.err, x.finished = res, err, true
	})
	return nil
}

func (s *Site) lastRun() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	x := *s.run
	return &x
}

func (x *run) version() string { return fmt.Sprintf("%s-%t", x.phase, x.finished) }

func (x *run) text() string {
	switch {
	case x.finished && x.err != nil:
		return "It stopped."
	case x.finished:
		return "It is done."
	case x.phase == "selectors":
		return fmt.Sprintf("Key holders evaluate blinded identifiers: %s of %s.", web.Number(int64(x.done)), web.Number(int64(x.all)))
	case x.phase == "observations" && x.all > 0:
		return fmt.Sprintf("Sealed and acknowledged: %s of %s.", web.Number(int64(x.done)), observations(x.all))
	case x.phase == "observations":
		return "Sending what was kept."
	}
	return "Reading the file again."
}

func (s *Site) submissionState(w http.ResponseWriter, r *http.Request) error {
	x := s.lastRun()
	if x == nil {
		return s.kit.Poll(w, web.PollState{Done: true})
	}
	return s.kit.Poll(w, web.PollState{Version: x.version(), Text: x.text(), Done: x.finished})
}

// submission shows the submission that runs or ran last, and what is left of
// one that a break cut off.
func (s *Site) submission(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "Submit", Question: "How far is our submission?"}
	x := s.lastRun()
	var body []any
	if x != nil {
		body = append(body, x.blocks()...)
	}
	running := x != nil && !x.finished
	st := status(r)
	if left := leftBlocks(st); left != nil && !running {
		body = append(body, left...)
	}
	if body == nil {
		body = []any{web.Empty{What: "No submission is running.", When: "Check a file; the page of the check leads to what would be submitted, and from there to a submission.",
			Action: &web.Link{Label: "Check a file", Href: "/check"}}}
	}
	view.Data = body
	return s.blocks(w, r, http.StatusOK, view)
}

// leftBlocks says how to go on after a break.
func leftBlocks(st Status) []any {
	var out []any
	if st.Unsent > 0 {
		out = append(out, web.Section{Title: "Kept, and not acknowledged yet", Body: []any{
			web.Text(fmt.Sprintf("%d contributions are sealed and kept on this computer; the hub has not acknowledged them. The same bytes are sent again, so nothing is stored twice.", st.Unsent)),
			web.Actions{{Label: "Send what was kept", Href: "/submit/kept", Post: true, Primary: true}}}})
	}
	if st.OpenBatches > 0 {
		out = append(out, web.Section{Title: "An unfinished submission", Body: []any{
			web.Text("A submission stopped after its batches were planned. Choose the same file with the same mapping again: it goes on where it stopped, and what key holders charged is not charged again."),
			web.Actions{{Label: "Choose the file", Href: "/check"}}}})
	}
	return out
}

func (x *run) blocks() []any {
	steps := []web.Step{{Label: "Read the file again"}, {Label: "Key holders evaluate blinded identifiers"}, {Label: "Seal, keep and send observations"}, {Label: "Receipts kept"}}
	if x.work == nil {
		steps = steps[2:]
	}
	at := map[string]int{"file": 0, "selectors": 1, "observations": len(steps) - 2}[x.phase]
	if x.finished && x.err == nil {
		at = len(steps)
	}
	for i := range steps {
		switch {
		case i < at:
			steps[i].State = web.StepDone
		case i == at && x.finished:
			steps[i].State = web.StepStopped
		case i == at:
			steps[i].State, steps[i].Note = web.StepCurrent, x.text()
		default:
			steps[i].State = web.StepWaiting
		}
	}
	out := []any{web.Steps{Label: "Submission of " + x.title, Steps: steps}}
	switch {
	case !x.finished:
		if x.all > 0 {
			out = append(out, web.Meter{Label: capital(x.phase), Done: x.done, Total: x.all})
		}
		out = append(out, web.Poll{URL: "/submit/state", Version: x.version(), Seconds: 2, Text: x.text(), Again: "/submit"},
			web.Text("You may close this page: the submission goes on while the program runs, and after a break it goes on where it stopped."))
	case x.err != nil:
		n := web.Notice{Tone: web.Stop, Title: "The submission stopped", Text: sentence(x.err)}
		if x.work != nil {
			n.Links = []web.Link{{Label: "See what is left to submit, and go on", Href: "/submit/" + x.work.id}}
		}
		out = append(out, n)
	default:
		text := fmt.Sprintf("%s in %s, acknowledged by the hub.", observations(x.res.Observations), contributions(x.res.Contributions))
		if x.res.Resent > 0 {
			text += fmt.Sprintf(" Also %s kept from before a break.", contributions(x.res.Resent))
		}
		out = append(out, web.Notice{Tone: web.Good, Title: "Submitted: " + x.title, Text: text, Links: []web.Link{{Label: "See the receipts", Href: "/sent"}}})
	}
	return out
}
