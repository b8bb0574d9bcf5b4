package identity

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parallax/internal/vocab"
	"parallax/opening"
	"parallax/signed"
)

// AccreditationDomain separates accreditations from all other signed objects.
const AccreditationDomain = "parallax/accreditation/v1"

// An Accreditation is what governance says of an organisation, signed by its
// quorum: what a person needs to know about it, and the functions that no key
// in the manifest stands for. A new version replaces the one before. Times are
// UTC microseconds.
type Accreditation struct {
	Pool          string     `json:"pool"`
	Organisation  string     `json:"organisation"` // the id in the manifest, where it is in it
	Version       int64      `json:"version"`      // 1, 2, ...
	Name          string     `json:"name"`
	Entity        string     `json:"entity"` // controlling entity
	Kind          string     `json:"kind"`
	Jurisdictions []string   `json:"jurisdictions"` // ISO 3166: AU, AU-NSW
	Functions     []Function `json:"functions"`
	From          int64      `json:"from"`
	Until         int64      `json:"until"`
	Status        string     `json:"status"` // active, suspended, ended
	Reason        string     `json:"reason"` // why; names no person
	Issued        int64      `json:"issued"`
}

// The statuses that an accreditation gives.
const (
	StatusActive    = "active"
	StatusSuspended = "suspended"
	StatusEnded     = "ended"
)

var (
	jurisdiction = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)
	functions    = []Function{Contributes, Receives, HoldsKey, Oversees, Operates, Witnesses, Audits}
	// byAccreditation are the functions that need no key in the manifest.
	byAccreditation = []Function{Witnesses, Audits}
)

// maxText bounds names and reasons, in characters.
const maxText = 200

// plainText reports one line of at most maxText characters that shows as it is.
func plainText(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && utf8.RuneCountInString(s) <= maxText && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Check refuses an accreditation that does not say what it must, and says how
// to mend it.
func (a Accreditation) Check() error {
	switch {
	case a.Pool == "" || a.Version < 1:
		return errors.New("accreditation: pool and a version from 1 are needed")
	case !plainText(a.Organisation) || !plainText(a.Name) || !plainText(a.Entity):
		return fmt.Errorf("accreditation: organisation, name and entity are needed, each on one line of at most %d characters", maxText)
	case a.Status != StatusActive && a.Status != StatusSuspended && a.Status != StatusEnded:
		return fmt.Errorf("accreditation: status %q is none of active, suspended, ended", a.Status)
	case !plainText(a.Reason):
		return errors.New("accreditation: a reason is needed, on one line; it names no person")
	case a.From <= 0 || a.Until <= a.From || a.Issued <= 0:
		return errors.New("accreditation: issued, from and a later until are needed, in UTC microseconds")
	case len(a.Jurisdictions) == 0:
		return errors.New("accreditation: at least one jurisdiction is needed, such as AU or AU-NSW")
	}
	if err := vocab.OrganisationKinds.Check(a.Kind); err != nil {
		return fmt.Errorf("accreditation: kind %q: %w", a.Kind, err)
	}
	for i, j := range a.Jurisdictions {
		if !jurisdiction.MatchString(j) || slices.Contains(a.Jurisdictions[:i], j) {
			return fmt.Errorf("accreditation: jurisdiction %q must be an ISO 3166 code such as AU or AU-NSW, named once", j)
		}
	}
	for i, f := range a.Functions {
		if !slices.Contains(functions, f) || slices.Contains(a.Functions[:i], f) {
			return fmt.Errorf("accreditation: function %q must be one of %v, named once", f, functions)
		}
	}
	return nil
}

// A SignedAccreditation is the exact body with the signatures of governors.
type SignedAccreditation struct {
	Body []byte              `json:"body"`
	Sigs []opening.Signature `json:"sigs"`
}

// Encode checks an accreditation and gives its signed form without signatures.
func (a Accreditation) Encode() (SignedAccreditation, error) {
	if err := a.Check(); err != nil {
		return SignedAccreditation{}, err
	}
	body, err := signed.Marshal(a)
	return SignedAccreditation{Body: body}, err
}

// Add appends a governor's signature, or replaces the one that it gave before.
func (s *SignedAccreditation) Add(id string, key ed25519.PrivateKey) {
	s.Sigs = slices.DeleteFunc(s.Sigs, func(x opening.Signature) bool { return x.Key == id })
	s.Sigs = append(s.Sigs, opening.Signature{Key: id, Sig: ed25519.Sign(key, signed.Input(AccreditationDomain, s.Body))})
}

// Read decodes the body without asking who signed it.
func (s SignedAccreditation) Read() (a Accreditation, err error) {
	if err := signed.Unmarshal(s.Body, &a); err != nil {
		return a, fmt.Errorf("accreditation: %w", err)
	}
	return a, a.Check()
}

// Open verifies the governance quorum and decodes the accreditation.
func (s SignedAccreditation) Open(g opening.Governance) (Accreditation, error) {
	good := make(map[string]bool)
	for _, sig := range s.Sigs {
		for _, gov := range g.Governors {
			if gov.ID == sig.Key && signed.Verify(AccreditationDomain, gov.Key, s.Body, sig.Sig) == nil {
				good[gov.ID] = true
			}
		}
	}
	if g.Threshold < 1 || len(good) < g.Threshold {
		return Accreditation{}, fmt.Errorf("accreditation: %d of %d governance signatures verify, %d are needed", len(good), len(g.Governors), g.Threshold)
	}
	return s.Read()
}

// holds reports the accreditation in force at a time.
func (a Accreditation) holds(now time.Time) bool {
	at := now.UnixMicro()
	return a.Status == StatusActive && a.From <= at && at < a.Until
}
