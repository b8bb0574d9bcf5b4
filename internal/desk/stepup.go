package desk

import (
	"context"
	"crypto/subtle"
	"io"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"

	"parallax/internal/fault"
)

// stepUpLife is how long a confirmation counts for dangerous acts.
const stepUpLife = 5 * time.Minute

// minSecret is the least length of a desk's passphrase or step-up secret, which
// may be of any characters and of any length above.
const minSecret = 12

const stepUpSetting = "step-up"

// stepUp is a secret registered at a desk that a key file unlocks. It keeps
// who finds the desk's page open from signing; it does not keep the files.
type stepUp struct {
	Salt  []byte `json:"salt"`
	Proof []byte `json:"proof"` // scrypt of the secret
}

// stepUpKind says what a desk asks for before a dangerous act.
type stepUpKind string

const (
	stepUpNone       stepUpKind = ""
	stepUpPassphrase stepUpKind = "passphrase"
	stepUpSecret     stepUpKind = "step-up secret"
)

// stepUpNeeded says what confirms who is at the desk.
func (d *Desk) stepUpNeeded(ctx context.Context) (stepUpKind, stepUp, error) {
	if d.who.Lock == lockScrypt {
		return stepUpPassphrase, stepUp{}, nil
	}
	var s stepUp
	err := d.records.setting(ctx, stepUpSetting, &s)
	if fault.Is(err, fault.NotFound) {
		return stepUpNone, s, nil
	}
	return stepUpSecret, s, err
}

// RegisterStepUp sets the secret that a desk with a key file asks for before
// dangerous acts. To set another, the one before must have been confirmed.
func (d *Desk) RegisterStepUp(ctx context.Context, secret string) error {
	kind, _, err := d.stepUpNeeded(ctx)
	switch {
	case err != nil:
		return err
	case kind == stepUpPassphrase:
		return fault.New(fault.Conflict, "This desk is locked by a passphrase and asks for that one; it needs no other.")
	case len(secret) < minSecret:
		return fault.Newf(fault.Invalid, "A step-up secret has at least %d characters; set PARALLAX_DESK_NEW_STEP_UP.", minSecret)
	}
	if err := d.dangerous(ctx); err != nil {
		return err
	}
	s := stepUp{Salt: make([]byte, 32)}
	if _, err := io.ReadFull(d.random, s.Salt); err != nil {
		return err
	}
	if s.Proof, err = scrypt.Key([]byte(secret), s.Salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize); err != nil {
		return err
	}
	return d.records.keep(ctx, stepUpSetting, s)
}

// Confirm checks the passphrase or step-up secret once more; for five minutes
// afterwards dangerous acts may be signed.
func (d *Desk) Confirm(ctx context.Context, secret string) error {
	kind, s, err := d.stepUpNeeded(ctx)
	if err != nil {
		return err
	}
	wrong := fault.New(fault.Forbidden, "That is not the "+string(kind)+" of this desk. Nothing was signed.")
	switch kind {
	case stepUpPassphrase:
		kek, err := scrypt.Key([]byte(secret), d.who.Salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize)
		if err != nil {
			return err
		}
		if _, err := openBytes(kek, []byte(identityFile), d.who.Sealed); err != nil {
			return wrong
		}
	case stepUpSecret:
		proof, err := scrypt.Key([]byte(secret), s.Salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(proof, s.Proof) != 1 {
			return wrong
		}
	}
	d.confirmed.Store(d.clock.Now().UnixMicro())
	return nil
}

// fresh reports a confirmation of the last five minutes, and that a desk
// without a secret asks for none.
func (d *Desk) fresh(ctx context.Context) (bool, stepUpKind, error) {
	kind, _, err := d.stepUpNeeded(ctx)
	if err != nil || kind == stepUpNone {
		return err == nil, kind, err
	}
	at := d.confirmed.Load()
	since := d.clock.Now().Sub(time.UnixMicro(at))
	return at > 0 && since >= 0 && since <= stepUpLife, kind, nil
}

// dangerous refuses an act that opens, decides or releases something unless
// whoever is at the desk confirmed it lately. To halt is never dangerous.
func (d *Desk) dangerous(ctx context.Context) error {
	ok, kind, err := d.fresh(ctx)
	if err != nil || ok {
		return err
	}
	return fault.New(fault.Forbidden, "Confirm first that it is you: this needs the desk's "+string(kind)+", typed within the last five minutes (PARALLAX_DESK_PASSPHRASE or PARALLAX_DESK_STEP_UP at the command line). Nothing was signed.")
}
