package demo

import (
	"context"

	"parallax/client"
	"parallax/tlog"
)

// checkpoint fetches the hub's newest checkpoint and verifies it with its
// quorum of witnesses.
func (s *stage) checkpoint(ctx context.Context) (int64, error) {
	_, cp, err := s.witnessed(ctx)
	return cp.Size, err
}

func (s *stage) witnessed(ctx context.Context) ([]byte, tlog.Checkpoint, error) {
	var note []byte
	if err := client.Get(ctx, s.http, s.plan.Hub.URL+client.PathCheckpoint, &note); err != nil {
		return nil, tlog.Checkpoint{}, err
	}
	keys := make([]tlog.WitnessKey, len(s.plan.Holders))
	for i, h := range s.plan.Holders {
		keys[i] = tlog.WitnessKey{Name: h.ID, Key: h.Witness}
	}
	cp, _, err := tlog.VerifyNote(note, s.plan.Hub.LogOrigin, s.plan.Hub.LogKey, keys, s.plan.T)
	return note, cp, err
}
