package tlog

import (
	"crypto/ed25519"
	"fmt"
)

// WitnessState is all that a witness keeps: the newest head it has cosigned.
// The zero state is that of a witness that has seen nothing.
type WitnessState struct {
	Size int64
	Root Hash
}

// A Conflict is a witness's refusal of a checkpoint that does not follow from
// what it has cosigned. It says where the witness stands, so that an honest log
// can prove from there, and a log that was rolled back or forked learns it.
type Conflict struct {
	Size   int64  `json:"size"`
	Root   Hash   `json:"root"`
	Reason string `json:"reason"`
}

// Error is the refusal for a log of events.
func (c *Conflict) Error() string {
	return fmt.Sprintf("checkpoint: %s; this witness is at %d", c.Reason, c.Size)
}

// Consider decides whether a witness may cosign: the note is signed by the log
// under origin, not behind the witness, and consistent with what it has seen.
// The caller persists the new state before it cosigns and lets the line leave:
// a witness that forgets could be brought to cosign a fork. The error is a
// *Conflict where the note is the log's but does not follow from w, and the
// state is then unchanged.
func (w WitnessState) Consider(raw []byte, proof Consistency, origin string, logKey ed25519.PublicKey) (Checkpoint, WitnessState, error) {
	c, _, err := VerifyNote(raw, origin, logKey, nil, 0)
	if err != nil {
		return Checkpoint{}, w, err
	}
	if c.Size < w.Size {
		return Checkpoint{}, w, w.conflict("it has %d entries, more were witnessed before", c.Size)
	}
	if proof.Old != w.Size || proof.New != c.Size {
		return Checkpoint{}, w, w.conflict("the proof is from %d to %d", proof.Old, proof.New)
	}
	if err := proof.Verify(w.Root, c.Root); err != nil {
		return Checkpoint{}, w, w.conflict("it does not follow from what was witnessed before: %v", err)
	}
	return c, WitnessState{c.Size, c.Root}, nil
}

func (w WitnessState) conflict(format string, args ...any) *Conflict {
	return &Conflict{Size: w.Size, Root: w.Root, Reason: fmt.Sprintf(format, args...)}
}
