package hub

import (
	"context"
	"encoding/hex"

	"parallax/internal/clock"
	"parallax/internal/pool"
	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

// Held is all that this hub's operator can see on its own disk: counts over the
// pool, and single observations by label.
type Held struct {
	pool.Holdings
	Shown []HeldObservation `json:"shown"`
}

// A HeldObservation is one observation as the hub has it.
type HeldObservation struct {
	Label  string         `json:"label"`
	Live   bool           `json:"live"` // neither withdrawn nor expired
	Header opening.Header `json:"header"`
	Tags   []string       `json:"tags"` // in the order of the header's
	// Box is the sealed payload: its length, the same for all, and its first
	// bytes, which look random.
	BoxBytes  int    `json:"box_bytes"`
	BoxBegins string `json:"box_begins"`
}

// Show reads a hub's database beside the running hub and changes nothing.
func Show(ctx context.Context, db *store.DB, keys *recordkeys.Keys, labels []seal.Label) (Held, error) {
	p, err := pool.New(ctx, db, pool.Records{Keys: keys}, nil, nil, clock.System()) // reads need no log and no signing key
	if err != nil {
		return Held{}, err
	}
	out := Held{Shown: []HeldObservation{}}
	if out.Holdings, err = p.Count(ctx); err != nil {
		return Held{}, err
	}
	items, err := p.Items(ctx, labels)
	if err != nil {
		return Held{}, err
	}
	for _, it := range items {
		if len(it.Observation.Header) == 0 { // deleted: its label is left
			out.Shown = append(out.Shown, HeldObservation{Label: it.Label.String()})
			continue
		}
		h, err := opening.DecodeHeader(it.Observation.Header)
		if err != nil {
			return Held{}, err
		}
		x := HeldObservation{Label: it.Label.String(), Live: it.Live, Header: h, BoxBytes: len(it.Box),
			BoxBegins: hex.EncodeToString(it.Box[:min(32, len(it.Box))])}
		for _, t := range h.Tags {
			tag := t.Tag()
			x.Tags = append(x.Tags, hex.EncodeToString(tag[:]))
		}
		out.Shown = append(out.Shown, x)
	}
	return out, nil
}
