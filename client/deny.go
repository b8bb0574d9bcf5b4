package client

import (
	"context"
	"errors"
	"net/http"

	"parallax/opening"
	"parallax/signed"
)

// Spread says how far a denial came. It forbids for certain once Need holders
// keep it: then fewer than the quorum are left that do not know of it.
type Spread struct {
	Acks   []string `json:"acks"`   // holders whose signed acknowledgement verifies
	Failed []string `json:"failed"` // "holder: why"
	Need   int      `json:"need"`   // n-t+1
}

// Done reports that no quorum of holders without the denial is left.
func (s Spread) Done() bool { return len(s.Acks) >= s.Need }

// Deny sends a signed denial to every key holder of the manifest and verifies
// each acknowledgement. It never fails as a whole: sending the same denial
// again reaches those that were missed and changes nothing at the others.
func Deny(ctx context.Context, c *http.Client, m opening.Manifest, o signed.Object) Spread {
	s := Spread{Acks: []string{}, Failed: []string{}, Need: len(m.Holders) - m.Quorum + 1}
	for _, h := range m.Holders {
		if _, err := DenyAt(ctx, c, h, o); err != nil {
			s.Failed = append(s.Failed, h.ID+": "+err.Error())
			continue
		}
		s.Acks = append(s.Acks, h.ID)
	}
	return s
}

// DenyAt sends a signed denial to one key holder and gives its verified
// acknowledgement.
func DenyAt(ctx context.Context, c *http.Client, h opening.Holder, o signed.Object) (signed.Object, error) {
	var answer signed.Object
	if err := Post(ctx, c, h.URL+PathDeny, o, &answer); err != nil {
		return signed.Object{}, err
	}
	var ack DenialAck
	if err := answer.Open(DenialAckDomain, h.Key, &ack); err != nil {
		return signed.Object{}, err
	}
	if ack.Denial != opening.Digest(o.Body) || ack.Holder != h.Index {
		return signed.Object{}, errors.New("the acknowledgement is for another denial or holder")
	}
	return answer, nil
}
