package identity

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// maxPasskeys bounds what one person keeps.
const maxPasskeys = 10

// passkeys are how people sign in who have no account at a provider. Every use
// asks the device to verify its owner, and a passkey names its person: nobody
// types a name or a password.
type passkeys struct {
	s   *Service
	web *webauthn.WebAuthn // nil where this address cannot have any
}

func newPasskeys(s *Service) (*passkeys, error) {
	k := &passkeys{s: s}
	if s.site.passkeys() != "" {
		return k, nil
	}
	required := true
	var err error
	k.web, err = webauthn.New(&webauthn.Config{RPID: s.site.host, RPDisplayName: "Parallax", RPOrigins: []string{s.site.origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: &required, UserVerification: protocol.VerificationRequired}})
	return k, err
}

func (k *passkeys) ready() error {
	if k.web == nil {
		return fault.New(fault.Forbidden, k.s.site.passkeys())
	}
	return nil
}

// owner is a person as the library sees it.
type owner struct {
	Person
	has []webauthn.Credential
}

// WebAuthnID implements webauthn.User: random, not the id that the log names.
func (o owner) WebAuthnID() []byte { return o.handle }

// WebAuthnName implements webauthn.User.
func (o owner) WebAuthnName() string { return o.Name }

// WebAuthnDisplayName implements webauthn.User.
func (o owner) WebAuthnDisplayName() string { return o.Name }

// WebAuthnCredentials implements webauthn.User.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.has }

// offer begins to make a passkey for a person and gives what the browser needs.
func (k *passkeys) offer(w http.ResponseWriter, r *http.Request, f flow, o owner) (any, error) {
	if err := k.ready(); err != nil {
		return nil, err
	}
	if len(o.has) >= maxPasskeys {
		return nil, fault.Newf(fault.Conflict, "You have %d passkeys, which is the most. Remove one first.", maxPasskeys)
	}
	options, session, err := k.web.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.has).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	return options, k.keep(w, r, f, session)
}

// ask begins to use a passkey: any of this site's, or one of a person's own.
func (k *passkeys) ask(w http.ResponseWriter, r *http.Request, f flow, o *owner) (any, error) {
	if err := k.ready(); err != nil {
		return nil, err
	}
	begin := func() (*protocol.CredentialAssertion, *webauthn.SessionData, error) {
		return k.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	}
	if o != nil {
		begin = func() (*protocol.CredentialAssertion, *webauthn.SessionData, error) {
			return k.web.BeginLogin(*o, webauthn.WithUserVerification(protocol.VerificationRequired))
		}
	}
	options, session, err := begin()
	if err != nil {
		return nil, err
	}
	return options, k.keep(w, r, f, session)
}

func (k *passkeys) keep(w http.ResponseWriter, r *http.Request, f flow, session *webauthn.SessionData) (err error) {
	if f.Passkey, err = json.Marshal(session); err != nil {
		return err
	}
	_, err = k.s.begin(r.Context(), w, f)
	return err
}

// taken spends the flow of a passkey's answer.
func (k *passkeys) taken(w http.ResponseWriter, r *http.Request, kinds ...flowKind) (f flow, session webauthn.SessionData, err error) {
	if f, err = k.s.take(w, r, ""); err != nil {
		return f, session, err
	}
	for _, kind := range kinds {
		if f.Kind == kind && f.Provider == "" {
			return f, session, json.Unmarshal(f.Passkey, &session)
		}
	}
	return f, session, errFlow
}

var errPasskey = fault.New(fault.Forbidden, "The passkey was not accepted. Nothing was changed.")

// made checks a new passkey and stores it: with the invitation that it answers,
// or beside those that its person has.
func (k *passkeys) made(w http.ResponseWriter, r *http.Request, raw []byte) (f flow, p Person, err error) {
	f, session, err := k.taken(w, r, flowEnrol, flowAdd)
	if err != nil {
		return f, p, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(raw)
	if err != nil {
		return f, p, fault.Wrap(fault.Invalid, fault.Sentence(errPasskey), err)
	}
	check := func(o owner) (*webauthn.Credential, error) {
		c, err := k.web.CreateCredential(o, session, answer)
		if err != nil {
			return nil, fault.Wrap(fault.Forbidden, fault.Sentence(errPasskey), err)
		}
		c.Attestation = webauthn.CredentialAttestation{} // says which make a device is; not asked for, not kept
		return c, nil
	}
	keep := func(ctx context.Context, tx *store.Tx, p Person, now time.Time) error {
		o, err := owned(ctx, tx, p)
		if err != nil {
			return err
		}
		c, err := check(o)
		if err != nil {
			return err
		}
		id, err := k.s.id("k-")
		if err != nil {
			return err
		}
		return insertPasskey(ctx, tx, id, p.ID, device(r.UserAgent()), *c, now)
	}
	if f.Kind == flowEnrol {
		p, err = k.s.bind(r.Context(), f.Code, keep)
		p.State = Active
		return f, p, err
	}
	err = k.s.o.DB.Write(r.Context(), func(ctx context.Context, tx *store.Tx) error {
		if p, err = person(ctx, tx, f.Person); err != nil {
			return err
		}
		if p.State != Active || p.Account != Passkey {
			return errPasskey
		}
		return keep(ctx, tx, p, k.s.o.Clock.Now())
	})
	return f, p, err
}

// used checks the answer of a passkey and gives its person.
func (k *passkeys) used(w http.ResponseWriter, r *http.Request, raw []byte) (f flow, p Person, err error) {
	f, session, err := k.taken(w, r, flowSignIn, flowAgain)
	if err != nil {
		return f, p, err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(raw)
	if err != nil {
		return f, p, fault.Wrap(fault.Invalid, fault.Sentence(errPasskey), err)
	}
	err = k.s.o.DB.Write(r.Context(), func(ctx context.Context, tx *store.Tx) error {
		o, err := holder(ctx, tx, answer.Response.UserHandle, f.Person)
		if err != nil {
			return err
		}
		var c *webauthn.Credential
		if f.Kind == flowAgain {
			c, err = k.web.ValidateLogin(o, session, answer)
		} else {
			_, c, err = k.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return o, nil }, session, answer)
		}
		if err != nil {
			return fault.Wrap(fault.Forbidden, fault.Sentence(errPasskey), err)
		}
		if c.Authenticator.CloneWarning {
			return fault.New(fault.Forbidden, "This passkey seems to exist twice, so it is not accepted any more. Remove it and make a new one.")
		}
		p = o.Person
		return usePasskey(ctx, tx, *c, k.s.o.Clock.Now())
	})
	return f, p, err
}

// holder is the person whom a passkey says that it is of, or who confirms.
func holder(ctx context.Context, tx *store.Tx, handle []byte, id string) (owner, error) {
	if id == "" {
		var err error
		if id, err = byHandle(ctx, tx, handle); err != nil {
			return owner{}, err
		}
	}
	p, err := person(ctx, tx, id)
	if errors.Is(err, errNotYours) {
		err = errPasskey
	}
	if err != nil {
		return owner{}, err
	}
	return owned(ctx, tx, p)
}
