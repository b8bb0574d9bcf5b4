package identity

import (
	"context"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// Accredit takes what the governance quorum signed about an organisation. The
// same bytes sent again change nothing; anything else must be the next version.
func (s *Service) Accredit(ctx context.Context, sa SignedAccreditation) (Accreditation, error) {
	a, err := sa.Open(s.o.Governance)
	if err != nil {
		return a, fault.Wrap(fault.Forbidden, "The accreditation was refused: "+err.Error()+".", err)
	}
	m, ok := s.o.Policy()
	if !ok {
		return a, fault.New(fault.Unavailable, "The hub has no manifest yet, so it cannot tell whether this accreditation is for its pool.")
	}
	if a.Pool != m.Pool {
		return a, fault.New(fault.Forbidden, "The accreditation was refused: it is for another pool.")
	}
	raw, err := signed.Marshal(sa)
	if err != nil {
		return a, err
	}
	now, digest := s.o.Clock.Now(), opening.Digest(sa.Body)
	return a, s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if known, err := knownAct(ctx, tx, digest[:]); known || err != nil {
			return err
		}
		if kept, err := putAccreditation(ctx, tx, a, string(raw), now); err != nil || !kept {
			if err == nil {
				err = fault.New(fault.Conflict, "The accreditation does not follow the version that the hub holds. Look at the organisation under Members and policy, sign the next version and send that.")
			}
			return err
		}
		ticket, err := s.record(ctx, tx, Record{Type: "accredit", By: "governance", Organisation: a.Organisation, Act: digest.String()})
		if err != nil {
			return err
		}
		return insertAct(ctx, tx, digest[:], a.Organisation, "accredit", a.Reason, string(raw), ticket, now)
	})
}

// Deny takes a governor's signed suspension of an organisation, or its part in
// lifting one: the same objects that key holders take, and by the same rule. It
// keeps people out at once, also while the manifest still lists their
// organisation as active. It says whether the organisation is suspended now.
func (s *Service) Deny(ctx context.Context, o signed.Object) (suspended bool, err error) {
	m, ok := s.o.Policy()
	if !ok {
		return false, fault.New(fault.Unavailable, "The hub has no manifest yet.")
	}
	d, err := opening.OpenDenial(m, s.o.Governance, o)
	if err != nil {
		return false, fault.Wrap(fault.Forbidden, "The suspension was refused: "+err.Error()+".", err)
	}
	if d.Member == "" || d.Kind != opening.DenySuspend && d.Kind != opening.DenyResume {
		return false, fault.New(fault.Invalid, "The hub keeps only the suspension of an organisation here, and its lifting. Everything else that forbids an opening goes to the key holders.")
	}
	raw, err := signed.Marshal(o)
	if err != nil {
		return false, err
	}
	now, digest := s.o.Clock.Now(), opening.Digest(o.Body)
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		known, err := knownAct(ctx, tx, digest[:])
		if err != nil {
			return err
		}
		if !known {
			ticket, err := s.record(ctx, tx, Record{Type: d.Kind, By: "governance", Organisation: d.Member, Act: digest.String()})
			if err != nil {
				return err
			}
			if err := insertAct(ctx, tx, digest[:], d.Member, d.Kind, d.Reason, string(raw), ticket, now); err != nil {
				return err
			}
		}
		words, err := s.words(ctx, tx, d.Member)
		suspended = words.Suspended(d.Member)
		return err
	})
	return suspended, err
}
