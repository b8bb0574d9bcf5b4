package desk

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// A Step is one step after an opening, as the authority signed it, with its
// reason where it was written at this desk.
type Step struct {
	opening.Handling
	Why string `json:"why,omitempty"`
}

// A LeadCase is where an opened lead stands. Until it is decided, all in it is
// suspected.
type LeadCase struct {
	Opening  string          `json:"opening"`
	State    string          `json:"state"`
	Playbook string          `json:"playbook"`
	Case     opening.Case    `json:"case"`
	Steps    []Step          `json:"steps"`
	Overlaps []Overlap       `json:"overlaps"` // with other leads that this desk has read
	Sources  []string        `json:"sources"`  // contributors, once the lead was read here
	mark     mark            // of this lead
	request  opening.Request // as it was signed
	digest   opening.Hash
}

// An Overlap is another lead of this desk that shares an identifier or an
// observation.
type Overlap struct {
	Opening string    `json:"opening"`
	Read    time.Time `json:"read"`
	Tags    int       `json:"tags"` // identifiers in common
}

// A mark is what this desk remembers of a lead that it read, to find others
// that it overlaps with: tags and labels, no selector.
type mark struct {
	Read   int64                   `json:"read"`
	Tags   []opening.Hash          `json:"tags"` // digests of class and tag
	Labels map[string][]seal.Label `json:"labels"`
	SMR    bool                    `json:"smr"` // something in it stems, or may stem, from a report of suspicion
}

const marksSetting = "lead-marks"

func (d *Desk) marks(ctx context.Context) (map[string]mark, error) {
	out := make(map[string]mark)
	err := d.records.setting(ctx, marksSetting, &out)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return out, err
}

// keepMark remembers a lead that is being read.
func (d *Desk) keepMark(ctx context.Context, id string, headers map[seal.Label]opening.Header, read []OpenedContent) error {
	all, err := d.marks(ctx)
	if err != nil {
		return err
	}
	m := mark{Read: d.clock.Now().UnixMicro(), Labels: make(map[string][]seal.Label),
		SMR: slices.ContainsFunc(read, OpenedContent.smr)}
	for label, h := range headers {
		m.Labels[h.Organisation] = append(m.Labels[h.Organisation], label)
		for _, t := range h.Tags {
			tag := t.Tag()
			x := opening.Digest(append([]byte(t.Class), tag[:]...))
			if !slices.Contains(m.Tags, x) {
				m.Tags = append(m.Tags, x)
			}
		}
	}
	for _, list := range m.Labels {
		slices.SortFunc(list, func(a, b seal.Label) int { return slices.Compare(a[:], b[:]) })
	}
	all[id] = m
	return d.records.keep(ctx, marksSetting, all)
}

// overlaps compares a lead with the others that this desk has read. Nobody else
// is asked, so nothing is told to anybody.
func overlaps(all map[string]mark, id string) []Overlap {
	out := []Overlap{}
	mine := all[id]
	for other, m := range all {
		if other == id {
			continue
		}
		o := Overlap{Opening: other, Read: time.UnixMicro(m.Read).UTC()}
		for _, t := range m.Tags {
			if slices.Contains(mine.Tags, t) {
				o.Tags++
			}
		}
		if o.Tags > 0 {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Overlap) int { return a.Read.Compare(b.Read) })
	return out
}

// authority is approver for the authority's own desk.
func (d *Desk) authority(ctx context.Context) (client.Member, error) {
	m, _, who, err := d.approver(ctx)
	if err == nil && who.Role != opening.RoleAuthority {
		err = fault.New(fault.Forbidden, "Only the authority's own desk handles an opened lead.")
	}
	return m, err
}

// Case gives where an opened lead stands, from what the authority signed: every
// signature and the chain are checked here.
func (d *Desk) Case(ctx context.Context, id string) (LeadCase, error) {
	m, err := d.authority(ctx)
	if err != nil {
		return LeadCase{}, err
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return LeadCase{}, err
	}
	return d.caseOf(ctx, m.Manifest, state)
}

func (d *Desk) caseOf(ctx context.Context, m opening.Manifest, state client.OpeningState) (LeadCase, error) {
	out := LeadCase{Opening: state.ID, Steps: []Step{}, Sources: []string{}, digest: opening.Digest(state.Request.Body)}
	if state.State != "released" {
		return out, fault.Newf(fault.Conflict, "The opening is %s; there is nothing to handle.", state.State)
	}
	if err := d.openOwnRequest(m, state.Request, &out.request); err != nil {
		return out, err
	}
	out.Playbook = out.request.Playbook
	for _, o := range state.Handling {
		h, digest, err := opening.OpenHandling(m, o)
		if err == nil && h.Request != out.digest {
			err = fault.New(fault.Invalid, "it is of another opening")
		}
		if err == nil {
			out.Case, err = out.Case.Next(h, digest, out.Playbook)
		}
		if err != nil {
			return out, fault.Wrap(fault.Invalid, "The hub's record of this lead does not hold: "+err.Error()+".", err)
		}
		why, err := d.written(ctx, h.Reason)
		if err != nil {
			return out, err
		}
		out.Steps = append(out.Steps, Step{Handling: h, Why: why})
	}
	out.State = out.Case.State()
	all, err := d.marks(ctx)
	if err != nil {
		return out, err
	}
	out.mark, out.Overlaps = all[state.ID], overlaps(all, state.ID)
	for org := range out.mark.Labels {
		out.Sources = append(out.Sources, org)
	}
	slices.Sort(out.Sources)
	return out, nil
}

// A Choice is what somebody at the authority has chosen as the next step.
type Choice struct {
	Step       string
	Word       string
	Child      string   // of a decision
	To         string   // of a referral
	Gateway    string   // of a referral
	Provenance []string // flags that travel with the material
	Reason     string
	// Of a release: the gateway decision for each contributor that is told.
	Tell       map[string]string
	Conditions []string
	Earliest   time.Time
}

// Handle writes the reason down, signs the step and puts it before the hub.
func (d *Desk) Handle(ctx context.Context, id string, c Choice) (LeadCase, error) {
	m, err := d.authority(ctx)
	if err != nil {
		return LeadCase{}, err
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return LeadCase{}, err
	}
	was, err := d.caseOf(ctx, m.Manifest, state)
	if err != nil {
		return was, err
	}
	if c.To != "" && len(was.Sources) == 0 {
		return was, fault.New(fault.Conflict, "This desk has not read the lead, so it does not know what flags travel with it. Read it first.")
	}
	h := d.draft(m.Manifest, was, c)
	var notes []signed.Object
	if c.Step == opening.StepRelease {
		if notes, err = d.notes(m.Manifest, was, c); err != nil {
			return was, err
		}
		for _, n := range notes {
			h.Notes = append(h.Notes, opening.Digest(n.Body))
		}
	}
	if err := would(was, h); err != nil {
		return was, err
	}
	if h.Reason, err = d.write(ctx, c.Step+" "+h.Word, id, was.digest, c.Reason); err != nil {
		return was, err
	}
	o, err := signed.Sign(opening.HandlingDomain, d.who.ID, d.signKey(), h)
	if err != nil {
		return was, err
	}
	var now client.OpeningState
	if err := d.hub(ctx, m, client.PathHandle, client.HandleRequest{ID: id, Handling: o, Notes: notes}, &now); err != nil {
		return was, err
	}
	if h.To != "" { // a correction has to reach whoever got it
		if _, err := d.Refer(ctx, id, h.To, "referral under the gateway decision "+h.Gateway); err != nil {
			return was, err
		}
	}
	return d.caseOf(ctx, m.Manifest, now)
}

// draft is a step without its reason.
func (d *Desk) draft(m opening.Manifest, was LeadCase, c Choice) opening.Handling {
	h := opening.Handling{Pool: m.Pool, Request: was.digest, Number: was.Case.Number + 1, Before: was.Case.Last, Step: c.Step, Word: c.Word,
		Child: c.Child, To: c.To, Gateway: c.Gateway, Provenance: c.Provenance, Author: d.who.ID, Time: d.clock.Now().UnixMicro()}
	if c.Step == opening.StepRelease {
		h.Word = was.Case.Outcome
	}
	if leaves := c.Step == opening.StepRelease || h.To != ""; leaves && was.mark.SMR && !slices.Contains(h.Provenance, smrDerived) {
		h.Provenance = append(h.Provenance, smrDerived) // the flag travels, whoever forgets it
	}
	return h
}

// would refuses here what the hub would refuse.
func would(was LeadCase, h opening.Handling) error {
	h.Reason = opening.Hash{1} // written once the rest holds
	if _, err := was.Case.Next(h, opening.Hash{}, was.Playbook); err != nil {
		return fault.Wrap(fault.Invalid, "This step cannot be next: "+err.Error()+".", err)
	}
	return nil
}

// notes are what a release tells each contributor, about its own observations.
func (d *Desk) notes(m opening.Manifest, was LeadCase, c Choice) ([]signed.Object, error) {
	switch {
	case len(was.Sources) == 0:
		return nil, fault.New(fault.Conflict, "This desk has not read the lead, so it does not know whom to tell. Read it first.")
	case len(c.Tell) == 0:
		return nil, fault.New(fault.Invalid, "Choose at least one contributor to tell, with the gateway decision that allows it.")
	case len(c.Conditions) == 0:
		return nil, fault.New(fault.Invalid, "Choose the conditions under which they are told.")
	}
	conditions := slices.Sorted(slices.Values(c.Conditions))
	var out []signed.Object
	for _, org := range slices.Sorted(maps.Keys(c.Tell)) {
		labels := was.mark.Labels[org]
		if len(labels) == 0 {
			return nil, fault.Newf(fault.Invalid, "%q contributed nothing to this lead.", org)
		}
		n := opening.Note{Pool: m.Pool, To: org, Labels: labels[:min(len(labels), opening.MaxNoteLabels)], Outcome: was.Case.Outcome,
			Conditions: slices.Compact(slices.Clone(conditions)), Gateway: c.Tell[org], Earliest: c.Earliest.UnixMicro(), Author: d.who.ID}
		if _, err := io.ReadFull(d.random, n.Nonce[:]); err != nil {
			return nil, err
		}
		o, err := signed.Sign(opening.NoteDomain, d.who.ID, d.signKey(), n)
		if err != nil {
			return nil, err
		}
		if _, err := opening.OpenNote(m, o); err != nil {
			return nil, fault.Wrap(fault.Invalid, "This cannot be released: "+err.Error()+".", err)
		}
		out = append(out, o)
	}
	return out, nil
}

// Review signs what an oversight body says of a break-glass opening.
func (d *Desk) Review(ctx context.Context, id, finding, why string) error {
	m, _, who, err := d.approver(ctx)
	if err != nil {
		return err
	}
	if who.Role != opening.RoleOversight {
		return fault.New(fault.Forbidden, "Only an approver of an oversight body reviews a break-glass opening.")
	}
	state, err := d.opening(ctx, m, id)
	if err != nil {
		return err
	}
	if state.ReviewBy == 0 {
		return fault.New(fault.Conflict, "There is nothing to review: this opening broke no glass, or nothing was released.")
	}
	past := opening.Broken{Request: opening.Digest(state.Request.Body)}
	for _, a := range state.Approvals {
		past.Approvers = append(past.Approvers, a.Key)
	}
	r := opening.Review{Pool: m.Manifest.Pool, Request: past.Request, Reviewer: d.who.ID, Finding: finding, Reason: opening.Hash{1}, Time: d.clock.Now().UnixMicro()}
	sign := func() (signed.Object, error) { return signed.Sign(opening.ReviewDomain, d.who.ID, d.signKey(), r) }
	o, err := sign()
	if err != nil {
		return err
	}
	if _, err := opening.OpenReview(m.Manifest, o, past); err != nil {
		return fault.Wrap(fault.Invalid, "This review would be refused: "+err.Error()+".", err)
	}
	if r.Reason, err = d.write(ctx, "review "+finding, id, past.Request, why); err != nil {
		return err
	}
	if o, err = sign(); err != nil {
		return err
	}
	return d.hub(ctx, m, client.PathReview, client.ReviewRequest{ID: id, Review: o}, nil)
}
