package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/selector"
)

// Limits of what one act carries.
const (
	maxEvaluate     = 16_384 // inputs of one evaluation batch
	maxObservations = 256    // observations of one contribution
	maxPlanned      = 1 << 20
)

// A Plan is exactly what a submission would do, before it does anything.
type Plan struct {
	Rows         int            `json:"rows"`
	Observations int            `json:"observations"` // new ones
	Done         int            `json:"done"`         // rows submitted before, or twice in the file
	Skipped      int            `json:"skipped"`      // rows that make no observation
	Why          map[string]int `json:"why"`          // rows skipped, by reason
	Classes      []ClassPlan    `json:"classes"`
	NoCase       int            `json:"no_case"` // new observations without a case reference, which a query audit finds
	Holders      int            `json:"holders"` // key holders that said what is left today
	// Law is what the member's counsel allow; LawRefusal says why nothing may be
	// sent, where they do not.
	Law        *LawState `json:"law,omitempty"`
	LawRefusal string    `json:"law_refusal,omitempty"`
	// Example is the first observation as the pool and the authority get it.
	Example *Example `json:"example"`

	in      Input
	mapping Mapping
	input   []byte // keyed hash of file and mapping
	inputs  map[selector.Class][][]byte
	cases   map[string]client.QueryCase // behind an input
	batches []planBatch
	asked   bool  // a quorum of holders said what is left
	unasked error // why the others did not
}

// An Example shows who would see what of one observation.
type Example struct {
	Line    int            `json:"line"`
	Pool    map[string]any `json:"pool"`    // header fields, in the clear to hub and holders
	Payload Payload        `json:"payload"` // sealed; only the authority, only after an opening
}

// planBatch is an evaluation batch as the journal keeps it: from the same seed
// and time the same points follow, which holders charge once.
type planBatch struct {
	Class  selector.Class `json:"class"`
	Seed   [32]byte       `json:"seed"`
	Digest opening.Hash   `json:"digest"` // how holders know it
	Time   int64          `json:"time"`
	Basis  string         `json:"basis"`
	Inputs [][]byte       `json:"inputs"`
	// Cases are what the batch commits to of the records behind the inputs.
	Cases []client.QueryCase `json:"cases"`

	prepared *client.Batch // blinded already, in this process
}

func (b planBatch) batch() *client.Batch {
	return &client.Batch{Class: b.Class, Seed: b.Seed, Time: b.Time, Inputs: b.Inputs, Cases: b.Cases, Basis: b.Basis}
}

// Plan reads the file and says what a submission would do.
func (d *Desk) Plan(ctx context.Context, in Input, m Mapping) (Plan, error) {
	member, _, err := d.contributor(ctx)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{in: in, mapping: m, inputs: make(map[selector.Class][][]byte), cases: make(map[string]client.QueryCase), Why: make(map[string]int)}
	if st, err := d.MaySubmit(ctx); err == nil {
		p.Law = &st
	} else {
		p.LawRefusal = fault.Sentence(err)
	}
	if p.input, err = d.inputID(in, m); err != nil {
		return p, err
	}
	if p.batches, err = d.openBatches(ctx, p.input); err != nil {
		return p, err
	}
	known := make(map[string]bool)
	for _, b := range p.batches {
		for _, in := range b.Inputs {
			known[string(in)] = true
		}
	}
	rows := make(map[string]bool)
	err = eachReading(in, m, d.clock.Now(), func(r Reading) error {
		p.Rows++
		rec, why := admit(member.Manifest, r)
		if why != "" {
			p.Skipped++
			p.Why[why]++
			return nil
		}
		id, err := d.rowID(rec)
		if err != nil {
			return err
		}
		done, err := d.records.hasRow(ctx, id)
		if err != nil || done || rows[string(id)] {
			p.Done++
			return err
		}
		rows[string(id)] = true
		p.Observations++
		if rec.Reference == "" {
			p.NoCase++
		}
		if p.Example == nil {
			if p.Example, err = d.example(member.Manifest, rec); err != nil {
				return err
			}
		}
		for _, s := range rec.Selectors {
			if in := s.Input(); !known[string(in)] {
				known[string(in)], p.cases[string(in)] = true, queryCase(rec)
				p.inputs[s.Class] = append(p.inputs[s.Class], in)
			}
		}
		if len(known) > maxPlanned {
			return invalid("the file has more than %d different selectors; no daily budget allows that: split it", maxPlanned)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.budget(ctx, member)
	return p, nil
}

// admit leaves out of a record what the pool's manifest does not take; why says
// what leaves nothing, and is empty for a record that can be submitted.
func admit(m opening.Manifest, r Reading) (rec Record, why string) {
	rec = r.Record
	if !r.OK {
		return rec, "the row cannot be used: the check says why"
	}
	if len(m.Scope.Roles) > 0 && !slices.Contains(m.Scope.Roles, rec.Role) {
		return rec, "this pool does not take the subject role " + rec.Role
	}
	var in []selector.Selector
	for _, s := range rec.Selectors {
		if c, ok := m.Class(s.Class); ok && c.RuleVersion == s.Rule {
			in = append(in, s)
		}
	}
	if len(in) == 0 {
		return rec, "this pool takes none of the row's identifier classes"
	}
	rec.Selectors = in
	return rec, ""
}

// shown names what a person was shown of a plan, so that nothing else is
// submitted in its place.
func (p Plan) shown() string {
	h := sha256.New()
	h.Write(p.input)
	fmt.Fprintf(h, "|%d|%d|%d|%d", p.Rows, p.Observations, p.Done, p.Skipped)
	for _, c := range p.Classes {
		fmt.Fprintf(h, "|%s %d", c.Class, c.Selectors)
	}
	if p.Law != nil {
		fmt.Fprintf(h, "|%s %s", p.Law.Decision, p.Law.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inputID names file and mapping by a keyed hash.
func (d *Desk) inputID(in Input, m Mapping) ([]byte, error) {
	f, err := in.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return d.records.v.key("input", append(h.Sum(nil), raw...)), nil
}

// rowID names what a row says by a keyed hash, wherever in a file it stands.
func (d *Desk) rowID(rec Record) ([]byte, error) {
	rec.Line = 0
	if rec.Undated {
		rec.Date = "" // the same row tomorrow is still the same row
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	return d.records.v.key("row", raw), nil
}

// Progress hears of steps done of all; what is "selectors" or "observations".
type Progress func(what string, done, all int)

// Result is what a submission did.
type Result struct {
	Observations  int `json:"observations"`
	Contributions int `json:"contributions"`
	Resent        int `json:"resent"` // contributions left over from a break
}

// Submit does what the plan says: tokenise, seal, keep, send. After a break the
// same call goes on where it stopped; nothing is charged or stored twice. The
// gateway is asked first, and without its yes nothing leaves. Every evaluation
// records the gateway's id and the day; more is what the member adds to that.
func (d *Desk) Submit(ctx context.Context, p Plan, more string, progress Progress) (Result, error) {
	var res Result
	if progress == nil {
		progress = func(string, int, int) {}
	}
	may, err := d.MaySubmit(ctx)
	if err != nil {
		return res, err
	}
	member, j, err := d.contributor(ctx)
	if err != nil {
		return res, err
	}
	if res.Resent, err = d.sendKept(ctx, member); err != nil {
		return res, err
	}
	if p.Observations == 0 {
		return res, d.closeBatches(ctx, p.input)
	}
	if !p.Fits() {
		return res, fault.New(fault.Invalid, p.TooMuch())
	}
	if err := d.planBatches(ctx, member, &p, may.Basis(d.day(), more)); err != nil {
		return res, err
	}
	tokens, err := d.tokenise(ctx, member, p.batches, progress)
	var moved *client.OtherGeneration
	if errors.As(err, &moved) && moved.Theirs > moved.Ours {
		member, j, tokens, err = d.tokeniseAnew(ctx, j, p.batches, progress)
	}
	if err != nil {
		return res, refused(d.keepEvidence(j, err))
	}
	if err := d.contribute(ctx, member, p, tokens, progress, &res); err != nil {
		return res, err
	}
	return res, d.closeBatches(ctx, p.input)
}
