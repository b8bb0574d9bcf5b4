package opening

import (
	"errors"
	"fmt"
	"time"

	"parallax/seal"
	"parallax/signed"
)

// Domains of what the authority signs after an opening.
const (
	HandlingDomain = "parallax/handling/v1"
	NoteDomain     = "parallax/outcome-note/v1"
)

// Steps of handling an opened lead, in their order.
const (
	StepDeconflict = "deconflict" // does somebody work on this already?
	StepDecide     = "decide"
	StepOutcome    = "outcome" // what came of it
	StepRelease    = "release" // the outcome goes back to contributors
)

// A Word is a code of a closed list and what it says.
type Word struct{ Code, Text string }

// Words is a closed list.
type Words []Word

// Says gives what a code says; empty for one that is not listed.
func (w Words) Says(code string) string {
	for _, x := range w {
		if x.Code == code {
			return x.Text
		}
	}
	return ""
}

// Words of a decision about somebody who may be a child.
const (
	DeconflictCleared = "cleared"
	DecideAct         = "act"
	DecideRefer       = "refer"
	DecideMore        = "needs-more"
	ChildNoSign       = "no-sign"
)

// The closed lists. No selector, name or sentence fits into them.
var (
	DeconflictAnswers = Words{{DeconflictCleared, "Nobody else works on this, or all who do agree"}, {"pending", "Others were asked and have not answered"},
		{"hold", "Somebody else works on this and asks to wait"}}
	Decisions = Words{{DecideAct, "Act: start or join an investigation"}, {DecideRefer, "Refer to another body under a lawful route"},
		{"protect", "Protect: a person may need help, nothing adverse follows"}, {"no-action", "No action"}, {DecideMore, "Needs more before it can be decided"}}
	ChildAnswers = Words{{ChildNoSign, "No sign that the subject is a child"}, {"not-known", "Not known"}, {"possible", "The subject may be a child"}}
	Outcomes     = Words{{"safeguarded", "A person was safeguarded"}, {"investigation", "An investigation was opened"}, {"joined", "Joined to an investigation that was there"},
		{"charges", "Charges were laid"}, {"disrupted", "Disrupted without charges"}, {"passed-on", "Passed on to another body"},
		{"wrong-match", "A wrong match: different people"}, {"unfounded", "Looked into, nothing found"}, {"no-further-action", "No further action"}}
	Conditions = Words{{"own-use", "For your own organisation only"}, {"tell-nobody", "Do not tell or contact the person"}, {"no-adverse-step", "Take no adverse step because of it"},
		{"no-evidence", "Not to be used as evidence"}, {"ask-first", "Ask the authority before you use it"}}
)

// A Handling is one step after an opening, signed by an approver of the
// authority. It names the step before, so that none can be left out, edited or
// put elsewhere. What it rests on is written down at the desk; Reason is the
// digest of that.
type Handling struct {
	Pool    string `json:"pool"`
	Request Hash   `json:"request"` // digest of the opening's request
	Number  int    `json:"number"`  // from 1 for each opening
	Before  Hash   `json:"before"`  // digest of the step before; zero for the first
	Step    string `json:"step"`
	Word    string `json:"word"`              // of the step's closed list; of a release: the outcome
	Child   string `json:"child,omitempty"`   // of a decision: could this be a child?
	To      string `json:"to,omitempty"`      // of a referral: the organisation
	Gateway string `json:"gateway,omitempty"` // of a referral: the approved decision it rests on
	// Provenance are flags that travel with the material, as "smr-derived".
	Provenance []string `json:"provenance,omitempty"`
	Notes      []Hash   `json:"notes,omitempty"` // of a release: digests of what goes out
	Reason     Hash     `json:"reason"`
	Author     string   `json:"author"`
	Time       int64    `json:"time"`
}

// OpenHandling verifies who signed a step.
func OpenHandling(m Manifest, o signed.Object) (Handling, Hash, error) {
	var h Handling
	who, ok := m.Approver(o.Key)
	if !ok || who.Role != RoleAuthority {
		return h, Hash{}, fmt.Errorf("it is signed by %q, who is no approver of the authority", o.Key)
	}
	if err := o.Open(HandlingDomain, who.Key, &h); err != nil {
		return h, Hash{}, err
	}
	if h.Pool != m.Pool || h.Author != o.Key {
		return h, Hash{}, errors.New("it is for another pool, or names another author than the one who signed it")
	}
	return h, Digest(o.Body), nil
}

// A Case is where an opened lead stands. The zero value is one that was opened
// and not looked into. Until it is decided, all in it is suspected.
type Case struct {
	Number     int  // steps so far
	Last       Hash // digest of the last
	Deconflict string
	Decision   string
	Child      string
	To         string // of a referral
	Gateway    string
	Outcome    string
	Released   string // the outcome that contributors were told last
}

// State is the word of vocab's lead states.
func (c Case) State() string {
	switch {
	case c.Released != "" && c.Released == c.Outcome:
		return "outcome_released"
	case c.Decided():
		return "decided"
	case c.Deconflict == DeconflictCleared:
		return "deconflicted"
	}
	return "released"
}

// Decided reports a decision that is more than "needs more".
func (c Case) Decided() bool { return c.Decision != "" && c.Decision != DecideMore }

// Next adds a step, or says why it cannot come next. playbook is that of the
// opening's request.
func (c Case) Next(h Handling, digest Hash, playbook string) (Case, error) {
	switch {
	case h.Number != c.Number+1 || h.Before != c.Last:
		return c, errors.New("another step came in between; load the lead and decide again")
	case h.Reason == Hash{}:
		return c, errors.New("a step needs the digest of its written reason")
	case (h.To == "") != (h.Gateway == "") || (h.To != "") != (h.Step == StepDecide && h.Word == DecideRefer):
		return c, errors.New("a referral, and nothing else, names to whom and under which gateway decision")
	case (h.Child != "") != (h.Step == StepDecide):
		return c, errors.New("a decision, and nothing else, answers whether this could be a child")
	case (len(h.Notes) > 0) != (h.Step == StepRelease):
		return c, errors.New("a release, and nothing else, lists what goes out")
	}
	next := c
	next.Number, next.Last = h.Number, digest
	var err error
	switch h.Step {
	case StepDeconflict:
		err = next.deconflict(h)
	case StepDecide:
		err = next.decide(h, playbook)
	case StepOutcome:
		err = next.outcome(h)
	case StepRelease:
		err = next.release(h)
	default:
		err = fmt.Errorf("there is no step %q", h.Step)
	}
	if err != nil {
		return c, err
	}
	return next, nil
}

func (c *Case) deconflict(h Handling) error {
	if DeconflictAnswers.Says(h.Word) == "" {
		return fmt.Errorf("%q is no answer to who else works on it", h.Word)
	}
	if c.Decided() {
		return errors.New("it has been decided already")
	}
	c.Deconflict = h.Word
	return nil
}

func (c *Case) decide(h Handling, playbook string) error {
	switch {
	case c.Deconflict != DeconflictCleared:
		return errors.New("find out first whether somebody else works on it")
	case c.Decided():
		return errors.New("it has been decided already")
	case Decisions.Says(h.Word) == "":
		return fmt.Errorf("%q is no decision", h.Word)
	case ChildAnswers.Says(h.Child) == "":
		return errors.New("answer first whether this could be a child")
	case h.Word == DecideAct && (playbook == PlaybookChildPossible || h.Child != ChildNoSign):
		return errors.New("the subject may be a child: protect or refer, and take no adverse step")
	}
	c.Decision, c.Child, c.To, c.Gateway = h.Word, h.Child, h.To, h.Gateway
	return nil
}

func (c *Case) outcome(h Handling) error {
	if !c.Decided() {
		return errors.New("an outcome follows a decision")
	}
	if Outcomes.Says(h.Word) == "" {
		return fmt.Errorf("%q is no outcome", h.Word)
	}
	c.Outcome = h.Word
	return nil
}

func (c *Case) release(h Handling) error {
	if c.Outcome == "" || h.Word != c.Outcome {
		return errors.New("what is released is the outcome that was recorded last")
	}
	c.Released = h.Word
	return nil
}

// MaxNoteLabels bounds the observations that one note speaks of.
const MaxNoteLabels = 4

// MaxOutcomeDelay bounds how far ahead a release may be put.
const MaxOutcomeDelay = 366 * 24 * time.Hour

// A Note tells one contributor what its own observations led to. It names
// nothing of the opening and of no other contributor: two contributors who
// compare their notes find nothing alike but the outcome.
type Note struct {
	Pool       string       `json:"pool"`
	To         string       `json:"to"`
	Labels     []seal.Label `json:"labels"` // the contributor's own
	Outcome    string       `json:"outcome"`
	Conditions []string     `json:"conditions"`
	Gateway    string       `json:"gateway"`  // the approved decision it flows under
	Earliest   int64        `json:"earliest"` // it is shown no earlier
	Author     string       `json:"author"`
	Nonce      Hash         `json:"nonce"`
}

// OpenNote verifies a note of the authority.
func OpenNote(m Manifest, o signed.Object) (Note, error) {
	var n Note
	who, ok := m.Approver(o.Key)
	if !ok || who.Role != RoleAuthority {
		return n, fmt.Errorf("the note is signed by %q, who is no approver of the authority", o.Key)
	}
	if err := o.Open(NoteDomain, who.Key, &n); err != nil {
		return n, fmt.Errorf("note: %w", err)
	}
	switch {
	case n.Pool != m.Pool || n.Author != o.Key:
		return n, errors.New("the note is for another pool, or names another author")
	case len(n.Labels) == 0 || len(n.Labels) > MaxNoteLabels:
		return n, fmt.Errorf("a note speaks of %d observations, want 1 to %d", len(n.Labels), MaxNoteLabels)
	case Outcomes.Says(n.Outcome) == "":
		return n, fmt.Errorf("%q is no outcome", n.Outcome)
	case len(n.Conditions) == 0 || len(n.Conditions) > len(Conditions):
		return n, errors.New("a note needs its conditions")
	}
	for i, c := range n.Conditions {
		if Conditions.Says(c) == "" || i > 0 && n.Conditions[i-1] >= c {
			return n, fmt.Errorf("%q is no condition, or the list is not sorted", c)
		}
	}
	return n, nil
}
