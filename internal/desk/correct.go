package desk

import (
	"context"
	"sort"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// A Correction is an act that this desk is about to sign.
type Correction struct {
	Kind string // opening.DenyFreeze, DenyUphold, DenyAmend or DenyRevoke
	// Reference names a contributor's own observations; an approver names any
	// by Labels.
	Reference string
	Labels    []seal.Label
	Reason    string
}

// Correct signs a correction and sends it to every holder and the hub, which
// tells whoever has read the observations. It is done only when so many holders
// keep it that the rest cannot open; run it again to reach the others.
func (d *Desk) Correct(ctx context.Context, c Correction) (Withdrawal, error) {
	den, m, err := d.correction(ctx, c)
	if err != nil {
		return Withdrawal{}, err
	}
	path := client.PathCorrect
	if den.Member == "" {
		path = client.PathCorrectAny
	}
	return d.spread(ctx, m, den, path)
}

// correction is what Correct would sign, still without time and nonce.
func (d *Desk) correction(ctx context.Context, c Correction) (opening.Denial, client.Member, error) {
	m, _, err := d.member(ctx)
	if err != nil {
		return opening.Denial{}, m, err
	}
	den := opening.Denial{Kind: c.Kind, Pool: m.Manifest.Pool, Reason: c.Reason, Author: d.who.ID, Labels: c.Labels}
	if len(c.Labels) > 0 {
		if who, ok := m.Manifest.Approver(d.who.ID); !ok || !who.Key.Equal(d.who.Public) {
			return den, m, fault.New(fault.Forbidden, "Only an approver corrects by label; a contributor names its own reference.")
		}
		if c.Kind == opening.DenyAmend {
			return den, m, fault.New(fault.Forbidden, "Only the organisation that contributed an observation can replace it.")
		}
		return den, m, nil
	}
	own, err := d.Own(ctx, c.Reference)
	if err != nil {
		return den, m, err
	}
	den.Member = d.who.ID
	den.Labels, den.Instead, err = corrected(c.Kind, own)
	return den, m, err
}

// corrected says which own observations a correction names. In an amendment
// those that were submitted last take the place of all earlier ones.
func corrected(kind string, own []OwnRecord) (labels, instead []seal.Label, err error) {
	sort.SliceStable(own, func(i, j int) bool { return own[i].Time < own[j].Time })
	last := own[len(own)-1].Time
	for _, o := range own {
		if kind == opening.DenyAmend && o.Time == last {
			instead = append(instead, o.Label)
		} else {
			labels = append(labels, o.Label)
		}
	}
	if len(labels) == 0 {
		return nil, nil, fault.New(fault.Conflict, "There is only one submission under that reference, so nothing takes its place. Submit the corrected row under the same reference first, then amend.")
	}
	if len(labels)+len(instead) > opening.MaxCorrected {
		return nil, nil, fault.Newf(fault.Invalid, "There are %d observations under that reference and one correction takes %d; withdraw them instead.", len(own), opening.MaxCorrected)
	}
	return labels, instead, nil
}
