package identity

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/store"
)

// What a program may read with a key: what is open in any case. A key says who
// reads; it opens nothing that is closed, and changes nothing.
const (
	ReadStatus        = "status"
	ReadPolicy        = "policy"
	ReadLog           = "log"
	ReadOrganisations = "organisations"
)

// A Read is one of the open reads.
type Read struct{ Name, Label string }

// Reads lists them.
var Reads = []Read{
	{ReadStatus, "State of the hub"},
	{ReadPolicy, "Policies and the key ceremony"},
	{ReadLog, "Checkpoints and the log"},
	{ReadOrganisations, "Organisations and their accreditation"},
}

// The life of a key, and how many an organisation may have at once.
const (
	MaxKeyValid = 366 * 24 * time.Hour
	maxKeys     = 20
	keyPrefix   = "plx_"
)

// A Key is a program's key for open reads, without its secret.
type Key struct {
	ID, Label        string
	Reads            []string
	Created, Expires time.Time
	Used             time.Time // zero: never
	Revoked          bool
}

// MakeKey makes a key and gives its text, which is shown once.
func (s *Service) MakeKey(ctx context.Context, by Principal, label string, reads []string, valid time.Duration) (k Key, text string, err error) {
	now := s.o.Clock.Now()
	switch {
	case !by.Has(OrganisationAdmin) || by.Suspended:
		return k, "", fault.New(fault.Forbidden, "Only an administrator of an organisation that is not suspended may do this.")
	case !Confirmed(by, now):
		return k, "", errConfirm
	case !plainText(label):
		return k, "", fault.Newf(fault.Invalid, "Say on one line of at most %d characters what the key is for.", maxText)
	case len(reads) == 0:
		return k, "", fault.New(fault.Invalid, "Choose at least one thing that the key may read.")
	case valid < time.Hour || valid > MaxKeyValid:
		return k, "", fault.New(fault.Invalid, "A key lasts between one hour and a year.")
	}
	for i, r := range reads {
		if !slices.ContainsFunc(Reads, func(x Read) bool { return x.Name == r }) || slices.Contains(reads[:i], r) {
			return k, "", fault.New(fault.Invalid, "One of the reads does not exist or is named twice.")
		}
	}
	text, hash, err := s.secret(keyPrefix)
	if err != nil {
		return k, "", err
	}
	k = Key{Label: label, Reads: reads, Created: now, Expires: now.Add(valid)}
	if k.ID, err = s.id("key-"); err != nil {
		return k, "", err
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if n, err := liveKeys(ctx, tx, by.Organisation, now); err != nil || n >= maxKeys {
			if err == nil {
				err = fault.Newf(fault.Conflict, "Your organisation has %d keys, which is the most. Revoke one first.", maxKeys)
			}
			return err
		}
		if err := insertKey(ctx, tx, k, hash, by); err != nil {
			return err
		}
		_, err := s.record(ctx, tx, Record{Type: "make-key", By: by.Person, Organisation: by.Organisation, Key: k.ID})
		return err
	})
	return k, text, err
}

// Keys lists the keys of the principal's organisation, newest first.
func (s *Service) Keys(ctx context.Context, by Principal) (out []Key, err error) {
	if !by.Has(OrganisationAdmin) {
		return nil, fault.New(fault.Forbidden, "Only an administrator of the organisation may see this.")
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = keysOf(ctx, tx, by.Organisation)
		return err
	})
	return out, err
}

// RevokeKey ends a key of the principal's organisation at once.
func (s *Service) RevokeKey(ctx context.Context, by Principal, id string) error {
	if !by.Has(OrganisationAdmin) {
		return fault.New(fault.Forbidden, "Only an administrator of the organisation may do this.")
	}
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := revokeKey(ctx, tx, by.Organisation, id, s.o.Clock.Now()); err != nil {
			return err
		}
		_, err := s.record(ctx, tx, Record{Type: "revoke-key", By: by.Person, Organisation: by.Organisation, Key: id})
		return err
	})
}

var errKey = api.Status(http.StatusUnauthorized, fault.New(fault.Forbidden, "This key is not known, has expired or was revoked."))

// CheckKey says whether a key may read something now.
func (s *Service) CheckKey(ctx context.Context, text, read string) error {
	now := s.o.Clock.Now()
	var stale bool
	var id string
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		k, organisation, state, err := keyBySecret(ctx, tx, hashOf(text))
		if err != nil {
			return err
		}
		org, err := s.organisation(ctx, tx, organisation)
		switch {
		case err != nil:
			return err
		case k.Revoked || !now.Before(k.Expires) || state != Active || org.Stopped != "":
			return errKey
		case !slices.Contains(k.Reads, read):
			return fault.New(fault.Forbidden, "This key was not made for this read.")
		}
		id, stale = k.ID, now.Sub(k.Used) >= time.Minute
		return nil
	})
	if err != nil || !stale {
		return err
	}
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return useKey(ctx, tx, id, now) })
}

// OpenRead guards a read that is open to everybody: who shows a key must show
// one that counts and was made for it, so that a revoked key never goes unnoticed.
func (s *Service) OpenRead(read string, next api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if said := r.Header.Get("Authorization"); said != "" {
			text, ok := strings.CutPrefix(said, "Bearer ")
			if !ok || !strings.HasPrefix(text, keyPrefix) {
				return errKey
			}
			if err := s.CheckKey(r.Context(), text, read); err != nil {
				return err
			}
		}
		return next(w, r)
	}
}
