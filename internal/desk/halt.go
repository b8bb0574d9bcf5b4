package desk

import (
	"context"
	"io"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// Halt signs, as an approver, that no opening may be released any more and
// sends it to every key holder. Only governance can lift it.
func (d *Desk) Halt(ctx context.Context, reason string) (client.Spread, error) {
	m, _, err := d.member(ctx)
	if err != nil {
		return client.Spread{}, err
	}
	who, ok := m.Manifest.Approver(d.who.ID)
	if !ok || !who.Key.Equal(d.who.Public) {
		return client.Spread{}, fault.New(fault.Forbidden, "Only an approver or a governor can halt openings; the manifest does not list this desk as an approver.")
	}
	den := opening.Denial{Kind: opening.DenyHalt, Pool: m.Manifest.Pool, Reason: reason, Time: d.clock.Now().UnixMicro()}
	if _, err := io.ReadFull(d.random, den.Nonce[:]); err != nil {
		return client.Spread{}, err
	}
	o, err := signed.Sign(opening.DenialDomain, d.who.ID, d.signKey(), den)
	if err != nil {
		return client.Spread{}, err
	}
	return client.Deny(ctx, d.http, m.Manifest, o), nil
}
