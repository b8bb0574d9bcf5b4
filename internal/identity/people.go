package identity

import (
	"context"
	"io"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// An invitation's life: what the inviter may choose, and what it is otherwise.
const (
	DefaultValid = 72 * time.Hour
	MaxValid     = 14 * 24 * time.Hour
)

var errInvitation = fault.New(fault.Forbidden, "This link does not invite anybody: it was used before, has expired or is not whole. Ask whoever sent it for a new one.")

// errReason asks for why somebody acts on another person.
var errReason = fault.Newf(fault.Invalid, "Say why, on one line of at most %d characters. It goes to the log, which auditors read: name nobody.", maxText)

var errNobody = fault.New(fault.Forbidden, "Nobody here signs in with this account. Who was invited uses the link of the invitation the first time.")

// An Enrolment is a one-time link for one person. It is shown once.
type Enrolment struct {
	Person  string    `json:"person"`
	Link    string    `json:"link"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// Invite makes a person of an organisation and the link by which it enrols. Like
// every act on a person it needs why, which the log keeps.
func (s *Service) Invite(ctx context.Context, by Principal, organisation, name string, roles []Role, valid time.Duration, why string) (Enrolment, error) {
	if !plainText(name) {
		return Enrolment{}, fault.Newf(fault.Invalid, "Give the person's name on one line of at most %d characters.", maxText)
	}
	p := Person{Organisation: organisation, Name: name, Roles: roles, handle: make([]byte, 32)}
	if _, err := io.ReadFull(s.o.Random, p.handle); err != nil {
		return Enrolment{}, err
	}
	var err error
	if p.ID, err = s.id("p-"); err != nil {
		return Enrolment{}, err
	}
	return s.enrol(valid, p.ID, func(ctx context.Context, tx *store.Tx) error {
		org, err := s.organisation(ctx, tx, organisation)
		if err != nil {
			return err
		}
		n, err := administrators(ctx, tx, organisation, "")
		if err != nil {
			return err
		}
		if err := may(question{act: actInvite, by: by, org: org, roles: roles, admins: n, now: s.o.Clock.Now()}); err != nil {
			return err
		}
		if !plainText(why) {
			return errReason
		}
		if err := insertPerson(ctx, tx, p, s.o.Clock.Now()); err != nil {
			return err
		}
		_, err = s.record(ctx, tx, Record{Type: string(actInvite), By: named(by), Organisation: organisation, Person: p.ID, Roles: roles, Reason: why})
		return err
	})(ctx)
}

// enrol does an act and makes the person's link in the same transaction.
func (s *Service) enrol(valid time.Duration, id string, act func(context.Context, *store.Tx) error) func(context.Context) (Enrolment, error) {
	return func(ctx context.Context) (Enrolment, error) {
		if valid == 0 {
			valid = DefaultValid
		}
		if valid < time.Minute || valid > MaxValid {
			return Enrolment{}, fault.New(fault.Invalid, "A link to enrol lasts between one minute and 14 days.")
		}
		code, hash, err := s.secret("enrol_")
		if err != nil {
			return Enrolment{}, err
		}
		now := s.o.Clock.Now()
		e := Enrolment{Person: id, Code: code, Link: s.site.url("/enrol?code=" + code), Expires: now.Add(valid)}
		return e, s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := act(ctx, tx); err != nil {
				return err
			}
			return insertInvitation(ctx, tx, hash, id, now, e.Expires)
		})
	}
}

// on decides an act on a person and then does it, with its entry in the log.
func (s *Service) on(ctx context.Context, tx *store.Tx, a act, by Principal, id string, roles []Role, why string, do func(p Person, now time.Time) error) error {
	p, err := person(ctx, tx, id)
	if err != nil {
		return err
	}
	org, err := s.organisation(ctx, tx, p.Organisation)
	if err != nil {
		return err
	}
	n, err := administrators(ctx, tx, p.Organisation, p.ID)
	if err != nil {
		return err
	}
	now := s.o.Clock.Now()
	if err := may(question{act: a, by: by, org: org, target: p, roles: roles, admins: n, now: now}); err != nil {
		return err
	}
	if !plainText(why) {
		return errReason
	}
	if err := do(p, now); err != nil {
		return err
	}
	_, err = s.record(ctx, tx, Record{Type: string(a), By: named(by), Organisation: p.Organisation, Person: p.ID, Roles: roles, Reason: why})
	return err
}

// SetRoles changes what a person may do. Its sessions end: what it may do is
// never a leftover of what it was.
func (s *Service) SetRoles(ctx context.Context, by Principal, id string, roles []Role, why string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actRoles, by, id, roles, why, func(p Person, now time.Time) error {
			if err := move(ctx, tx, id, actRoles, p.State, now); err != nil {
				return err
			}
			if err := endSessions(ctx, tx, id); err != nil {
				return err
			}
			return putRoles(ctx, tx, id, roles)
		})
	})
}

// Suspend keeps a person out at once; what it signs in with stays.
func (s *Service) Suspend(ctx context.Context, by Principal, id, why string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actSuspend, by, id, nil, why, func(_ Person, now time.Time) error {
			if err := move(ctx, tx, id, actSuspend, Suspended, now); err != nil {
				return err
			}
			return endSessions(ctx, tx, id)
		})
	})
}

// Resume lets a suspended person in again, or lets it enrol where it never did.
func (s *Service) Resume(ctx context.Context, by Principal, id, why string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actResume, by, id, nil, why, func(p Person, now time.Time) error {
			to := Active
			if p.Account == "" {
				to = Invited
			}
			return move(ctx, tx, id, actResume, to, now)
		})
	})
}

// Remove ends a person for good: its name, roles and ways to sign in are
// deleted, its id stays.
func (s *Service) Remove(ctx context.Context, by Principal, id, why string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actRemove, by, id, nil, why, func(_ Person, now time.Time) error {
			if err := move(ctx, tx, id, actRemove, Removed, now); err != nil {
				return err
			}
			if err := forget(ctx, tx, id); err != nil {
				return err
			}
			return erase(ctx, tx, id, now)
		})
	})
}

// Renew makes a new link for a person who lost the old one or its passkey. All
// that it signed in with before ends, so that two people never share one.
func (s *Service) Renew(ctx context.Context, by Principal, id string, valid time.Duration, why string) (Enrolment, error) {
	return s.enrol(valid, id, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actRenew, by, id, nil, why, func(_ Person, now time.Time) error {
			if err := move(ctx, tx, id, actRenew, Invited, now); err != nil {
				return err
			}
			return forget(ctx, tx, id)
		})
	})(ctx)
}

// EndSessions signs a person out everywhere.
func (s *Service) EndSessions(ctx context.Context, by Principal, id, why string) error {
	return s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return s.on(ctx, tx, actEnd, by, id, nil, why, func(Person, time.Time) error { return endSessions(ctx, tx, id) })
	})
}

// People lists people by id after one: of the principal's own organisation, or
// everybody for the operator. A removed person is not listed.
func (s *Service) People(ctx context.Context, by Principal, after string, limit int) (out []Person, err error) {
	if by.Kind != operator && (by.Organisation == "" || !by.Has(OrganisationAdmin)) {
		return nil, fault.New(fault.Forbidden, "Only an administrator of the organisation may see this.")
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = peopleAfter(ctx, tx, by.Organisation, after, limit)
		return err
	})
	return out, err
}

// One finds a person of the principal's own organisation.
func (s *Service) One(ctx context.Context, by Principal, id string) (p Person, org Organisation, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		if p, err = person(ctx, tx, id); err != nil {
			return err
		}
		if p.State == Removed || by.Kind != operator && (!by.Has(OrganisationAdmin) || p.Organisation != by.Organisation) {
			return errNotYours
		}
		org, err = s.organisation(ctx, tx, p.Organisation)
		return err
	})
	return p, org, err
}
