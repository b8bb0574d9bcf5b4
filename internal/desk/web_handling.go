package desk

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
)

// handlingEntry is what the pool's log takes for a step or a review: that there
// was one. What it says is in the digest.
type handlingEntry struct {
	Type string       `json:"type"`
	Pool string       `json:"pool"`
	Step string       `json:"step"`
	Of   opening.Hash `json:"of"`
}

// handling shows where an opened lead stands and asks for the next step.
func (s *Site) handling(w http.ResponseWriter, r *http.Request) error {
	return s.showHandling(w, r, http.StatusOK, r.URL.Query().Get("step"), nil)
}

func (s *Site) showHandling(w http.ResponseWriter, r *http.Request, code int, step string, wrong []web.Problem) error {
	c, err := s.desk.Case(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := s.handlingForm(r, c, step, wrong)
	if err != nil {
		return err
	}
	notice := web.Notice{Tone: web.Info, Title: "Suspected, not decided", Text: "Until the authority decides, all in this lead is a suspicion to check."}
	if c.Case.Decided() {
		notice = web.Notice{Tone: web.Info, Title: "Decided: " + opening.Decisions.Says(c.Case.Decision), Text: "What follows rests on that decision. The reports behind it stay unverified unless somebody checked them."}
	}
	body := []any{caseSteps(c), overlapTable(c)}
	body = append(append(body, s.unguarded(r)...), form...)
	return s.blocks(w, r, code, web.View{Title: "What next with lead " + short(c.Opening, 12), Question: "Is this enough to act, could this be a child, what next?",
		Problems: wrong, Notice: &notice, Crumbs: []web.Link{{Label: "Openings", Href: "/openings"}, {Label: "Opening", Href: "/openings/" + c.Opening}},
		Data: append(body, historyTable(c))})
}

func caseSteps(c LeadCase) web.Steps {
	x := c.Case
	steps := []web.Step{{Label: "Opened", State: web.StepDone},
		{Label: "Does somebody else work on it?", Note: opening.DeconflictAnswers.Says(x.Deconflict)},
		{Label: "Decided", Note: opening.Decisions.Says(x.Decision)},
		{Label: "Outcome", Note: opening.Outcomes.Says(x.Outcome)},
		{Label: "Released to contributors", Note: opening.Outcomes.Says(x.Released)}}
	done := []bool{true, x.Deconflict == opening.DeconflictCleared, x.Decided(), x.Outcome != "", x.Released != "" && x.Released == x.Outcome}
	for i := range steps {
		switch {
		case done[i]:
			steps[i].State = web.StepDone
		case done[i-1]:
			steps[i].State = web.StepCurrent
		default:
			steps[i].State = web.StepWaiting
		}
	}
	return web.Steps{Label: "How far this lead is", Steps: steps}
}

func overlapTable(c LeadCase) web.Table {
	t := web.Table{Caption: "Other leads that this desk has read and that share an identifier", Columns: append(web.Cols("Opening", "Read"), web.Column{Label: "Identifiers in common", Numeric: true}),
		Note: "Compared at this desk alone, from what it read before. Nobody is asked and nobody learns that it was compared.",
		Empty: web.Empty{What: "No other lead of this desk shares an identifier with this one.", When: "Leads that were read here appear when they overlap.",
			Good: "That says nothing of other authorities: ask those who may know, and record their answer."}}
	if len(c.Sources) == 0 {
		t.Empty = web.Empty{What: "This lead has not been read at this desk.", When: "Read it first; its identifiers are then compared with those of the leads read before.",
			Action: &web.Link{Label: "To the opening", Href: "/openings/" + c.Opening}}
	}
	for _, o := range c.Overlaps {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: short(o.Opening, 12), Code: true, Href: "/openings/" + o.Opening + "/handling"}, web.At(o.Read), web.N(int64(o.Tags))},
			Why: "It holds the same identifier, as a tag."})
	}
	return t
}

func historyTable(c LeadCase) web.Table {
	t := web.Table{Caption: "Steps so far", Columns: web.Cols("Step", "What", "By", "When"),
		Note:  "Each step is signed, names the one before and is in the pool's log. Reasons are only at the desk where they were written.",
		Empty: web.Empty{What: "No step has been signed.", When: "Each step appears here with who signed it."}}
	for _, x := range c.Steps {
		what := stepSays(x.Handling)
		if x.To != "" {
			what += " (" + x.To + ", under " + x.Gateway + ")"
		}
		why := "The reason was written at another desk."
		if x.Why != "" {
			why = "Reason: " + x.Why
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(capital(x.Step)), web.T(what), web.T(x.Author), web.At(time.UnixMicro(x.Time))}, Why: why})
	}
	return t
}

func stepSays(h opening.Handling) string {
	lists := map[string]opening.Words{opening.StepDeconflict: opening.DeconflictAnswers, opening.StepDecide: opening.Decisions,
		opening.StepOutcome: opening.Outcomes, opening.StepRelease: opening.Outcomes}
	return lists[h.Step].Says(h.Word)
}

func options(list opening.Words, without ...string) (out []web.Option) {
	for _, w := range list {
		if !slices.Contains(without, w.Code) {
			out = append(out, web.Option{Value: w.Code, Label: w.Text})
		}
	}
	return out
}

// nextStep is the step that comes next; asked is what the address or the form
// asks for, where there is a choice.
func nextStep(c opening.Case, asked string) string {
	told := c.Released != "" && c.Released == c.Outcome
	switch {
	case c.Decided() && c.Outcome != "" && asked != opening.StepOutcome && (!told || asked == opening.StepRelease):
		return opening.StepRelease
	case c.Decided():
		return opening.StepOutcome
	case c.Deconflict == opening.DeconflictCleared && asked != opening.StepDeconflict:
		return opening.StepDecide
	}
	return opening.StepDeconflict
}

// handlingForm is the step that comes next.
func (s *Site) handlingForm(r *http.Request, c LeadCase, asked string, wrong []web.Problem) ([]any, error) {
	m, _, _, err := s.desk.approver(r.Context())
	if err != nil {
		return nil, err
	}
	fields, err := s.signFields(r)
	if err != nil {
		return nil, err
	}
	step := nextStep(c.Case, asked)
	f := stepForm(r, c, step)
	f.Fields = atFields(append(f.Fields, fields...), wrong)
	f.Action, f.Careful, f.Hidden = "/openings/"+c.Opening+"/handling", true, []web.Hidden{{Name: "step", Value: step}, {Name: "before", Value: c.Case.Last.String()}}
	body := []any{f, entries(Read{Who: s.desk.who.ID, Opening: c.Opening, Request: c.digest, Act: step}, handlingEntry{"handling", m.Manifest.Pool, step, opening.Hash{}})}
	if step == opening.StepRelease {
		body = append(body, web.Actions{{Label: "Record another outcome instead", Href: f.Action + "?step=" + opening.StepOutcome}})
	} else if step == opening.StepOutcome && c.Case.Outcome != "" {
		body = append(body, web.Actions{{Label: "Tell further contributors of the outcome", Href: f.Action + "?step=" + opening.StepRelease}})
	}
	return []any{web.Section{Title: f.Label, Body: body}}, nil
}

func stepForm(r *http.Request, c LeadCase, step string) web.Form {
	v := r.PostFormValue
	switch step {
	case opening.StepDeconflict:
		return web.Form{Label: "Does somebody else work on this?", Submit: "Sign the answer", Note: "Ask those who may know outside of this page, without naming anybody. Record what they answered.",
			Fields: []web.Field{{Kind: web.FieldRadios, Name: "word", Label: "What was found", Value: v("word"), Options: options(opening.DeconflictAnswers)}}}
	case opening.StepDecide:
		var without []string
		help := "Ask it before anything adverse follows. Where it could be a child, only protecting, referring, waiting or no action remain."
		if c.Playbook == opening.PlaybookChildPossible {
			without, help = []string{opening.DecideAct}, "An observation says that it may be a child: protect or refer, and take no adverse step."
		}
		return web.Form{Label: "Decide", Submit: "Sign the decision", Fields: []web.Field{
			{Kind: web.FieldRadios, Name: "child", Label: "Could this be a child?", Value: v("child"), Options: options(opening.ChildAnswers), Help: help},
			{Kind: web.FieldRadios, Name: "word", Label: "Decision", Value: v("word"), Options: options(opening.Decisions, without...)},
			{Name: "to", Label: "Refer to (organisation's id)", Value: v("to"), Optional: true, MaxLength: 100},
			{Name: "gateway", Label: "Gateway decision of the referral", Value: v("gateway"), Optional: true, MaxLength: 100, Help: "Nothing is referred without a lawful route that was approved. Find it under Routes."},
			{Kind: web.FieldCheck, Name: "smr", Label: "It stems from a report of suspicion", Value: v("smr"), Optional: true, Help: "Flags of what was opened are added by themselves. Such material does not leave without a decision that says so."}}}
	case opening.StepOutcome:
		return web.Form{Label: "Record an outcome", Submit: "Sign the outcome", Fields: []web.Field{
			{Kind: web.FieldRadios, Name: "word", Label: "What came of it", Value: v("word"), Options: options(opening.Outcomes)}}}
	}
	f := web.Form{Label: "Release the outcome to contributors", Submit: "Sign the release",
		Note: "Each contributor learns what its own observations led to, under these conditions, in the digest that every member gets at the pool's release times. It learns nothing of the others. Leave empty whom the law does not let you tell."}
	for _, org := range c.Sources {
		f.Fields = append(f.Fields, web.Field{Name: "tell-" + org, Label: "Gateway decision to tell " + org, Value: v("tell-" + org), Optional: true, MaxLength: 100})
	}
	f.Fields = append(f.Fields, web.Field{Kind: web.FieldChecks, Name: "conditions", Label: "Conditions", Values: r.PostForm["conditions"], Options: options(opening.Conditions)},
		web.Field{Kind: web.FieldDate, Name: "earliest", Label: "Not before", Value: v("earliest"), Optional: true, Help: "A day (UTC), within a year. Empty: at the next release time."})
	return f
}

// handle signs the next step.
func (s *Site) handle(w http.ResponseWriter, r *http.Request) error {
	if err := form(w, r); err != nil {
		return err
	}
	id := r.PathValue("id")
	was, err := s.desk.Case(r.Context(), id)
	if err != nil {
		return err
	}
	if r.PostFormValue("before") != was.Case.Last.String() {
		return web.NotDone(fault.New(fault.Conflict, "Another step was signed since this page was shown. Look at the lead again."), "Nothing was signed.")
	}
	c, wrong := choice(r, was)
	why, more, err := s.signs(r)
	if err != nil {
		return err
	}
	c.Reason = why
	if wrong = append(wrong, more...); len(wrong) > 0 {
		return s.showHandling(w, r, http.StatusUnprocessableEntity, c.Step, wrong)
	}
	if _, err := s.desk.Handle(r.Context(), id, c); err != nil {
		if fault.Is(err, fault.Invalid) {
			return s.showHandling(w, r, http.StatusUnprocessableEntity, c.Step, []web.Problem{{Sentence: fault.Sentence(err)}})
		}
		return web.NotDone(err, "The step was not recorded.")
	}
	return web.Redirect(w, r, "/openings/"+id+"/handling")
}

// choice reads the posted step.
func choice(r *http.Request, was LeadCase) (Choice, []web.Problem) {
	c := Choice{Step: r.PostFormValue("step"), Word: r.PostFormValue("word"), Tell: make(map[string]string), Earliest: time.UnixMicro(0)}
	var wrong []web.Problem
	missing := func(field, sentence string) { wrong = append(wrong, web.Problem{Field: field, Sentence: sentence}) }
	switch c.Step {
	case opening.StepRelease:
		c.Conditions = r.PostForm["conditions"]
		for _, org := range was.Sources {
			if g := strings.TrimSpace(r.PostFormValue("tell-" + org)); g != "" {
				c.Tell[org] = g
			}
		}
		if len(c.Tell) == 0 && len(was.Sources) > 0 {
			missing("tell-"+was.Sources[0], "Name the gateway decision for at least one contributor.")
		}
		if len(c.Conditions) == 0 {
			missing("conditions", "Choose at least one condition.")
		}
		if day := r.PostFormValue("earliest"); day != "" {
			at, err := time.Parse(time.DateOnly, day)
			if err != nil {
				missing("earliest", "Write the day as 2026-11-30.")
			}
			c.Earliest = at
		}
		return c, wrong
	case opening.StepDecide:
		c.Child = r.PostFormValue("child")
		if c.Child == "" {
			missing("child", "Answer first whether this could be a child.")
		}
		c.To, c.Gateway = strings.TrimSpace(r.PostFormValue("to")), strings.TrimSpace(r.PostFormValue("gateway"))
		if c.Word == opening.DecideRefer && (c.To == "" || c.Gateway == "") {
			missing("gateway", "A referral names the organisation and the gateway decision that allows it.")
		}
		if c.Word != opening.DecideRefer {
			c.To, c.Gateway = "", ""
		}
		if r.PostFormValue("smr") != "" {
			c.Provenance = []string{smrDerived}
		}
	}
	if c.Word == "" {
		missing("word", "Choose one.")
	}
	return c, wrong
}
