package client

import (
	"encoding/binary"
	"errors"
	"fmt"

	"parallax/opening"
	"parallax/signed"
)

// Paths of what comes after an opening.
const (
	PathHandle   = "/v1/openings/handle"
	PathReview   = "/v1/openings/review"
	PathOutcomes = "/v1/outcomes"
)

// HandleRequest puts a signed step before the hub; a release brings its notes.
type HandleRequest struct {
	ID       string          `json:"id"`
	Handling signed.Object   `json:"handling"`
	Notes    []signed.Object `json:"notes,omitempty"`
}

// ReviewRequest puts the review of a break-glass opening before the hub.
type ReviewRequest struct {
	ID     string        `json:"id"`
	Review signed.Object `json:"review"`
}

// OutcomesRequest asks for what was released to the asking member after a
// time, in seconds since 1970, 0 for all.
type OutcomesRequest struct {
	After int64 `json:"after"`
}

// Outcomes is the digest that every member gets, whether or not anything is in
// it: it has the same length and changes only at the pool's release times.
type Outcomes struct {
	// Through is the release time up to which it is complete: to ask for more,
	// ask after it. It always has ten digits.
	Through int64  `json:"through"`
	Notes   []byte `json:"notes"` // OutcomesSize bytes, see PackNotes
}

// Sizes of a digest.
const (
	OutcomesSize = 24 << 10
	MaxNotes     = 12 // in one digest and for one member and release time
	maxNote      = 1800
)

// PackNotes puts notes into a buffer that is always as long.
func PackNotes(list []signed.Object) ([]byte, error) {
	if list == nil {
		list = []signed.Object{}
	}
	raw, err := signed.Marshal(list)
	if err != nil {
		return nil, err
	}
	if len(list) > MaxNotes || len(raw) > OutcomesSize-4 {
		return nil, fmt.Errorf("%d notes of %d bytes do not fit into one digest", len(list), len(raw))
	}
	out := make([]byte, OutcomesSize)
	binary.BigEndian.PutUint32(out, uint32(len(raw)))
	copy(out[4:], raw)
	return out, nil
}

// NoteFits reports that a signed note is small enough for a digest of MaxNotes.
func NoteFits(o signed.Object) bool {
	raw, err := signed.Marshal(o)
	return err == nil && len(raw) <= maxNote
}

// OpenNotes reads a digest for its member: every note is the authority's and
// for this member.
func OpenNotes(m opening.Manifest, member string, buf []byte) ([]opening.Note, error) {
	if len(buf) != OutcomesSize {
		return nil, errors.New("the digest of outcomes has another size than every member's")
	}
	n := binary.BigEndian.Uint32(buf)
	if n > OutcomesSize-4 {
		return nil, errors.New("the digest of outcomes is longer than it says")
	}
	var list []signed.Object
	if err := signed.Unmarshal(buf[4:4+n], &list); err != nil {
		return nil, err
	}
	out := make([]opening.Note, 0, len(list))
	for _, o := range list {
		note, err := opening.OpenNote(m, o)
		if err != nil {
			return nil, err
		}
		if note.To != member {
			return nil, errors.New("a note in the digest is for another member")
		}
		out = append(out, note)
	}
	return out, nil
}
