package amends

import (
	"context"
	"crypto/sha256"
	"regexp"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
)

// SubjectLife is how long a finding is kept after it had to be decided.
const SubjectLife = opening.FreezeLife + 30*24*time.Hour

var numberForm = regexp.MustCompile(`^[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}$`)

// sealedSize is that of every sealed finding: HPKE adds a key and a tag.
const sealedSize = client.SubjectSize + 32 + 16

// A SubjectRecord is what the log commits to for a subject request.
type SubjectRecord struct {
	Type    string       `json:"type"` // "subject"
	Pool    string       `json:"pool"`
	Org     string       `json:"org"`
	Finding opening.Hash `json:"finding"` // of the sealed bytes
}

// TakeSubject keeps a sealed finding for the authority. The answer is the same
// whatever is in it: nothing here can tell.
func (s *Service) TakeSubject(ctx context.Context, m opening.Manifest, org string, r client.SubjectReport) (client.CorrectedAck, error) {
	if !numberForm.MatchString(r.Number) || len(r.Sealed) != sealedSize {
		return client.CorrectedAck{}, fault.Newf(fault.Invalid, "A finding has a number like 01AB-23CD-45EF and exactly %d sealed bytes.", sealedSize)
	}
	now := s.clock.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := insertSubject(ctx, tx, org, r, now)
		if err != nil || !fresh {
			return err
		}
		return s.append(ctx, tx, "subject", SubjectRecord{Type: "subject", Pool: m.Pool, Org: org, Finding: sha256.Sum256(r.Sealed)})
	})
	return client.CorrectedAck{Time: now.UnixMicro()}, err
}

// Subjects lists findings to the authority, oldest first; the read is in the
// log first.
func (s *Service) Subjects(ctx context.Context, m opening.Manifest, by string) (out client.Subjects, err error) {
	if err := reader(m, by); err != nil {
		return client.Subjects{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := subjects(ctx, tx)
		if err != nil {
			return err
		}
		out.Subjects = list
		var what []opening.Hash
		for _, x := range list {
			what = append(what, sha256.Sum256(x.Sealed))
		}
		return s.logRead(ctx, tx, m, by, what)
	})
	if err != nil {
		return client.Subjects{}, err
	}
	return out, nil
}
