package client

import (
	"errors"
	"fmt"
	"time"

	"parallax/opening"
	"parallax/tlog"
)

// Chain verifies a chain of manifests from the ceremony down and gives its end.
// Hub and holders must be those of the ceremony; it comes with the committee that
// holds the key shares now.
func (s Setup) Chain(list []opening.SignedManifest) (opening.Manifest, error) {
	var m opening.Manifest
	for i, sm := range list {
		next, err := sm.Open(s.Plan.Governance)
		if err != nil {
			return m, err
		}
		if i > 0 && (next.Version != m.Version+1 || next.Previous != opening.Digest(list[i-1].Body)) {
			return m, fmt.Errorf("manifest %d does not follow from the one before", next.Version)
		}
		m = next
	}
	if m.Version == 0 {
		return m, errors.New("there is no manifest")
	}
	m, err := s.Belongs(m)
	if err != nil {
		return m, fmt.Errorf("the manifest does not belong to this key ceremony: %w", err)
	}
	return m, nil
}

// Witnessing is who cosigned a checkpoint: the key holders, whose quorum it
// needs, and the desks, who add their eyes and cannot hold it up.
type Witnessing struct {
	Holders []tlog.Cosignature
	Desks   []tlog.Cosignature
}

// Newest is when the last of the holders' cosignatures was made.
func (w Witnessing) Newest() (at time.Time) {
	for _, c := range w.Holders {
		if c.Time.After(at) {
			at = c.Time
		}
	}
	return at
}

// VerifyCheckpoint verifies a checkpoint note under a manifest: the log's own
// signature, a quorum of the key holders, and whatever desks signed it.
func VerifyCheckpoint(m opening.Manifest, note []byte) (tlog.Checkpoint, Witnessing, error) {
	holders := m.HolderWitnesses()
	cp, cosigs, err := tlog.VerifyNote(note, m.Hub.LogOrigin, m.Hub.LogKey, append(holders, m.DeskWitnessKeys()...), 0)
	if err != nil {
		return cp, Witnessing{}, err
	}
	var w Witnessing
	for _, c := range cosigs {
		if isOne(holders, c.Witness) {
			w.Holders = append(w.Holders, c)
		} else {
			w.Desks = append(w.Desks, c)
		}
	}
	if len(w.Holders) < m.Quorum {
		return cp, w, fmt.Errorf("checkpoint: %d key holders cosigned it, %d are needed", len(w.Holders), m.Quorum)
	}
	return cp, w, nil
}

func isOne(list []tlog.WitnessKey, name string) bool {
	for _, k := range list {
		if k.Name == name {
			return true
		}
	}
	return false
}
