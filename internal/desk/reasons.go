package desk

import (
	"context"
	"crypto/sha256"
	"io"
	"strings"
	"unicode/utf8"

	"parallax/internal/fault"
	"parallax/opening"
)

// Lengths of a written reason, in characters.
const (
	minReason = 10
	maxReason = 2000
)

// A reason is why somebody signed something. It is kept sealed at this desk;
// what is signed carries its digest, which says nothing without it.
type reason struct {
	Nonce []byte `json:"nonce"`
	Act   string `json:"act"`
	Text  string `json:"text"`
}

func (r reason) digest() opening.Hash {
	return sha256.Sum256([]byte("parallax/reason/v1\x00" + string(r.Nonce) + r.Act + "\x00" + r.Text))
}

// checkReason refuses what is no reason.
func checkReason(text string) error {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	if n < minReason || n > maxReason {
		return fault.Newf(fault.Invalid, "Write the reason, in %d to %d characters. It stays sealed at this desk; what is signed carries its digest.", minReason, maxReason)
	}
	return nil
}

// write keeps a reason, then a line in the desk's own hash-chained log, before
// anything is signed. Where either cannot be written nothing is signed.
func (d *Desk) write(ctx context.Context, act, id string, request opening.Hash, text string) (opening.Hash, error) {
	if err := d.dangerous(ctx); err != nil {
		return opening.Hash{}, err
	}
	if err := checkReason(text); err != nil {
		return opening.Hash{}, err
	}
	r := reason{Nonce: make([]byte, 32), Act: act, Text: strings.TrimSpace(text)}
	if _, err := io.ReadFull(d.random, r.Nonce); err != nil {
		return opening.Hash{}, err
	}
	digest := r.digest()
	if err := d.records.keep(ctx, "reason/"+digest.String(), r); err != nil {
		return opening.Hash{}, err
	}
	_, _, err := d.logged(ctx, Read{Opening: id, Request: request, Act: act, Reason: digest})
	return digest, err
}

// written gives the reason with a digest, if it was written here.
func (d *Desk) written(ctx context.Context, digest opening.Hash) (string, error) {
	var r reason
	err := d.records.setting(ctx, "reason/"+digest.String(), &r)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err == nil && r.digest() != digest {
		return "", fault.New(fault.Conflict, "A written reason was changed after it was signed.")
	}
	return r.Text, err
}
