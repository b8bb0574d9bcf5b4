package desk

import (
	"context"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// kept is the outcomes that this desk was told.
type keptOutcomes struct {
	Through int64          `json:"through"`
	Asked   int64          `json:"asked"`
	Notes   []opening.Note `json:"notes"`
}

const outcomesSetting = "outcomes"

// An Outcome is what the authority let this organisation know of what its own
// observations led to.
type Outcome struct {
	Outcome    string    `json:"outcome"`
	Says       string    `json:"says"`
	Conditions []string  `json:"conditions"`
	Gateway    string    `json:"gateway"`
	From       time.Time `json:"from"`       // the authority's earliest time
	References []string  `json:"references"` // this desk's own cases
}

// maxDigests bounds how many digests one call asks for.
const maxDigests = 64

// FetchOutcomes asks for the digest and keeps what is new. Every member's
// digest has the same length; what is in it was checked to be the authority's.
func (d *Desk) FetchOutcomes(ctx context.Context) (fresh int, err error) {
	m, _, err := d.contributorEver(ctx)
	if err != nil {
		return 0, err
	}
	k, err := d.keptOutcomes(ctx)
	if err != nil {
		return 0, err
	}
	for range maxDigests {
		var got client.Outcomes
		if err := d.hub(ctx, m, client.PathOutcomes, client.OutcomesRequest{After: k.Through}, &got); err != nil {
			return fresh, err
		}
		notes, err := client.OpenNotes(m.Manifest, d.who.ID, got.Notes)
		if err != nil {
			return fresh, fault.Wrap(fault.Invalid, "The hub's digest of outcomes was refused: "+err.Error()+".", err)
		}
		k.Asked = d.clock.Now().UnixMicro()
		more := got.Through > k.Through
		k.Through = max(k.Through, got.Through)
		for _, n := range notes {
			if !slices.ContainsFunc(k.Notes, func(x opening.Note) bool { return x.Nonce == n.Nonce }) {
				k.Notes = append(k.Notes, n)
				fresh++
			}
		}
		if err := d.records.keep(ctx, outcomesSetting, k); err != nil {
			return fresh, err
		}
		if !more || len(notes) == 0 {
			break
		}
	}
	return fresh, nil
}

// contributorEver is contributor also for one that is suspended: what it
// contributed before led where it led.
func (d *Desk) contributorEver(ctx context.Context) (client.Member, joined, error) {
	m, j, err := d.member(ctx)
	if err != nil {
		return m, j, err
	}
	if me, ok := m.Manifest.Member(d.who.ID); !ok || !me.Key.Equal(d.who.Public) {
		return m, j, fault.New(fault.Forbidden, "The manifest does not list this desk as a member with this key.")
	}
	return m, j, nil
}

func (d *Desk) keptOutcomes(ctx context.Context) (keptOutcomes, error) {
	var k keptOutcomes
	err := d.records.setting(ctx, outcomesSetting, &k)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return k, err
}

// Outcomes lists what this desk was told, the newest first, and when it asked
// last. It asks nobody.
func (d *Desk) Outcomes(ctx context.Context) ([]Outcome, time.Time, error) {
	k, err := d.keptOutcomes(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	out := []Outcome{}
	for _, n := range slices.Backward(k.Notes) {
		o := Outcome{Outcome: n.Outcome, Says: opening.Outcomes.Says(n.Outcome), Conditions: n.Conditions, Gateway: n.Gateway,
			From: time.UnixMicro(n.Earliest).UTC(), References: []string{}}
		for _, l := range n.Labels {
			own, err := d.records.byLabel(ctx, l)
			if err != nil {
				return nil, time.Time{}, err
			}
			for _, x := range own {
				if !slices.Contains(o.References, x.Record.Reference) {
					o.References = append(o.References, x.Record.Reference)
				}
			}
		}
		slices.Sort(o.References)
		out = append(out, o)
	}
	asked := time.Time{}
	if k.Asked > 0 {
		asked = time.UnixMicro(k.Asked)
	}
	return out, asked, nil
}

// byLabel finds the own records behind an observation.
func (r *records) byLabel(ctx context.Context, l seal.Label) ([]OwnRecord, error) {
	label := r.v.key("label", l[:])
	var out []OwnRecord
	err := r.list(ctx, func(id, sealed []byte) error {
		var o OwnRecord
		err := r.decode("record", append(append([]byte{}, id...), label...), sealed, &o)
		out = append(out, o)
		return err
	}, `SELECT id, sealed FROM desk_record WHERE label = $1 ORDER BY id`, label)
	return out, err
}
