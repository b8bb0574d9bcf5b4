package identity

import (
	"context"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// InvitedBy is whom a code invites, with its organisation. Asking spends
// nothing: a link that a mail scanner opens still works.
func (s *Service) InvitedBy(ctx context.Context, code string) (p Person, org Organisation, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if p, err = invitedBy(ctx, tx, hashOf(code), s.o.Clock.Now()); err != nil {
			return err
		}
		org, err = s.organisation(ctx, tx, p.Organisation)
		return err
	})
	return p, org, err
}

// bind spends an invitation and binds to its person what keep stores: an
// account at a provider, or a first passkey. Either all of it happens or none.
func (s *Service) bind(ctx context.Context, code []byte, keep func(ctx context.Context, tx *store.Tx, p Person, now time.Time) error) (p Person, err error) {
	now := s.o.Clock.Now()
	return p, s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if p, err = invitedBy(ctx, tx, code, now); err != nil {
			return err
		}
		org, err := s.organisation(ctx, tx, p.Organisation)
		if err != nil {
			return err
		}
		if org.Stopped != "" {
			return fault.New(fault.Forbidden, "Your organisation is kept out at the moment, so nobody can join it. The link stays good until it expires.")
		}
		if err := useInvitation(ctx, tx, code, now); err != nil {
			return err
		}
		if err := keep(ctx, tx, p, now); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE identity_person SET state = 'active', changed = $1 WHERE id = $2 AND state = 'invited'`, now.UnixMicro(), p.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errInvitation
		}
		_, err = s.record(ctx, tx, Record{Type: "enrol", By: p.ID, Organisation: p.Organisation, Person: p.ID, Roles: p.Roles})
		return err
	})
}
