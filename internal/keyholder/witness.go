package keyholder

import (
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// maxCheckpointAge is how old a bundle's witnessed checkpoint may be.
const maxCheckpointAge = 24 * time.Hour

// eyes is who had signed the checkpoint that this holder was shown last with
// an opening. It decides nothing that desks are among them: the operator sees
// how many eyes there were.
type eyes struct {
	size           int64
	holders, desks int
}

// consider decides on a cosignature; the caller records next before the line
// leaves.
func (s *Server) consider(w tlog.WitnessState, req client.CosignRequest, now time.Time) (line []byte, next tlog.WitnessState, err error) {
	hub := s.keys.plan.Hub
	cp, next, err := w.Consider(req.Note, req.Proof, hub.LogOrigin, hub.LogKey)
	if err != nil {
		return nil, w, err
	}
	return tlog.Cosign(cp, s.who.ID, s.who.witnessKey(), now), next, nil
}

// A conflict is a refusal to cosign with the signed statement that shows where
// this holder stands.
type conflict struct {
	error
	statement signed.Object
}

// Unwrap gives the reason.
func (c *conflict) Unwrap() error { return c.error }

// refusal signs where this holder stands, if that is why it refused.
func (s *Server) refusal(note []byte, err error) error {
	var c *tlog.Conflict
	if !errors.As(err, &c) {
		return err
	}
	o, serr := signed.Sign(client.RefusalDomain, s.who.ID, s.who.signKey(), client.CosignRefusal{Checkpoint: opening.Digest(note), Conflict: *c})
	if serr != nil {
		return errors.Join(err, serr)
	}
	return &conflict{err, o}
}

// verifyCheckpoint accepts a bundle's checkpoint only with a quorum of the
// ceremony's witnesses, young enough, and consistent with this holder's own.
func (s *Server) verifyCheckpoint(b opening.Bundle, last witnessed, now time.Time) (tlog.Checkpoint, error) {
	if s.state.manifest.Version == 0 {
		return tlog.Checkpoint{}, errors.New("this holder follows no manifest yet")
	}
	// The hub of the manifest is the ceremony's (checkManifest); the witnesses that
	// count are those who hold the key shares now.
	m, err := s.keys.setup.Fit(s.state.manifest)
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	cp, seen, err := client.VerifyCheckpoint(m, b.Checkpoint)
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	s.seen = eyes{size: cp.Size, holders: len(seen.Holders), desks: len(seen.Desks)}
	fresh := 0
	for _, c := range seen.Holders {
		if age := now.Sub(c.Time); age <= maxCheckpointAge && age >= -5*time.Minute {
			fresh++
		}
	}
	if fresh < m.Quorum {
		return tlog.Checkpoint{}, fmt.Errorf("the checkpoint has %d cosignatures of the last 24 hours, %d are needed", fresh, m.Quorum)
	}
	if cp.Size < last.Size {
		return tlog.Checkpoint{}, errors.New("the checkpoint is behind what this holder has witnessed")
	}
	if b.Consistency.Old != last.Size || b.Consistency.New != cp.Size {
		return tlog.Checkpoint{}, errors.New("the consistency proof does not start at this holder's last checkpoint")
	}
	if err := b.Consistency.Verify(last.Root, cp.Root); err != nil {
		return tlog.Checkpoint{}, fmt.Errorf("the checkpoint does not follow from what this holder witnessed: %w", err)
	}
	return cp, nil
}
