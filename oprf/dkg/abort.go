package dkg

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"parallax/seal"
	"parallax/signed"
)

const abortDomain = "parallax/dkg-abort/v1"

// maxReason bounds a reason in an abort, in bytes.
const maxReason = 300

// An Abort is a holder's signed word that an attempt is over for it and why.
// One is enough to end the attempt for all; the next one starts afresh.
type Abort struct {
	Params seal.Bytes32 `json:"params"` // hash of the attempt's parameters
	By     int          `json:"by"`
	Fault  int          `json:"fault"` // the holder at fault as By sees it; By itself if it cannot go on
	Reason string       `json:"reason"`
	// Shown is what Fault said in this attempt as By was shown it, round by
	// round: where another holder was shown something else, the two messages
	// make an [Equivocation].
	Shown [][]byte `json:"shown"`
}

// SignAbort makes the statement of holder by about the attempt of params; party
// is its side of that attempt, or nil if it has none.
func SignAbort(params Params, by int, key ed25519.PrivateKey, cause error, party *Party) ([]byte, error) {
	hash, err := params.hash()
	if err != nil {
		return nil, err
	}
	a := Abort{Params: hash, By: by, Fault: by, Reason: cause.Error(), Shown: [][]byte{}}
	var f *Fault
	if errors.As(cause, &f) {
		a.Fault, a.Reason = f.Index, f.Reason
		for round := 1; party != nil && party.Said(round, a.Fault) != nil; round++ {
			a.Shown = append(a.Shown, party.Said(round, a.Fault))
		}
	}
	a.Reason = a.Reason[:min(len(a.Reason), maxReason)]
	o, err := signed.Sign(abortDomain, params.Holders[by-1].ID, key, a)
	if err != nil {
		return nil, err
	}
	return signed.Marshal(o)
}

// OpenAbort verifies that a holder of the plan made the statement about this
// attempt.
func OpenAbort(params Params, raw []byte) (Abort, error) {
	hash, err := params.hash()
	if err != nil {
		return Abort{}, err
	}
	var o signed.Object
	if err := signed.Unmarshal(raw, &o); err != nil {
		return Abort{}, fmt.Errorf("abort: %w", err)
	}
	for _, h := range params.Holders {
		if h.ID != o.Key {
			continue
		}
		var a Abort
		if err := o.Open(abortDomain, h.SignKey, &a); err != nil {
			return Abort{}, fmt.Errorf("abort: %w", err)
		}
		if a.Params != hash || a.By != h.Index || a.Fault < 1 || a.Fault > params.N || len(a.Reason) > maxReason || len(a.Shown) > Rounds {
			return Abort{}, errors.New("abort: it is of another attempt, or names nobody")
		}
		return a, nil
	}
	return Abort{}, fmt.Errorf("abort: %q is no holder of this ceremony", o.Key)
}

// CheckMessage verifies that a message was signed by the holder at index for
// this round of this attempt: a board takes nothing else into that place.
func CheckMessage(params Params, round, index int, message []byte) error {
	hash, err := params.hash()
	if err != nil {
		return err
	}
	if round < 1 || round > Rounds || index < 1 || index > params.N {
		return fmt.Errorf("ceremony: no round %d or no holder %d", round, index)
	}
	_, err = openOne(params, hash, round, params.Holders[index-1], message)
	return err
}

// Said is the message of a holder in a round as this party was shown it, or
// nil.
func (p *Party) Said(round, index int) []byte {
	if round < 1 || round > len(p.said) || index < 1 || index > len(p.said[round-1]) {
		return nil
	}
	return p.said[round-1][index-1]
}

// An Equivocation is two messages that one holder signed for one round of one
// attempt and that say different things. It needs nobody's word.
type Equivocation struct {
	Params Params `json:"params"`
	First  []byte `json:"first"`
	Second []byte `json:"second"`
}

// Verify finds the holder who signed both and the round, or says why the two
// messages show nothing.
func (e Equivocation) Verify() (index, round int, err error) {
	if err := e.Params.Check(); err != nil {
		return 0, 0, err
	}
	hash, err := e.Params.hash()
	if err != nil {
		return 0, 0, err
	}
	for index := 1; index <= e.Params.N; index++ {
		for round := 1; round <= Rounds; round++ {
			a, err1 := openOne(e.Params, hash, round, e.Params.Holders[index-1], e.First)
			b, err2 := openOne(e.Params, hash, round, e.Params.Holders[index-1], e.Second)
			if errors.Join(err1, err2) == nil && !bytes.Equal(a, b) {
				return index, round, nil
			}
		}
	}
	return 0, 0, errors.New("the two messages are not two of one holder in one round that differ")
}

// FindEquivocation looks for two faces of one holder among what those who ended
// the attempt were shown of it and what this party, which may be nil, was shown
// itself.
func FindEquivocation(params Params, aborts []Abort, own *Party) (Equivocation, bool) {
	for i, a := range aborts {
		var others [][]byte
		for _, b := range aborts[i+1:] {
			others = append(others, b.Shown...)
		}
		for round := 1; own != nil && round <= Rounds; round++ {
			others = append(others, own.Said(round, a.Fault))
		}
		for _, shown := range a.Shown {
			for _, other := range others {
				e := Equivocation{params, shown, other}
				if _, _, err := e.Verify(); err == nil {
					return e, true
				}
			}
		}
	}
	return Equivocation{}, false
}
