package opening

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"parallax/selector"
	"parallax/signed"
)

// ManifestDomain separates manifests from all other signed objects.
const ManifestDomain = "parallax/manifest/v1"

// LooseningDelay is how long a change that loosens a manifest waits before it
// binds a key holder.
const LooseningDelay = 30 * 24 * time.Hour

// A Manifest says who may do what in one pool (compartment). It is signed by a
// governance quorum that the key-ceremony transcript fixes; the hub operator
// is not in it. Times are UTC microseconds.
type Manifest struct {
	Version  int         `json:"version"`
	Previous Hash        `json:"previous"` // hash of the version before; zero for version 1
	Pool     string      `json:"pool"`
	Epoch    string      `json:"epoch"`
	Issued   int64       `json:"issued"`
	Demo     bool        `json:"demo"` // demonstration only; production holders refuse it
	Scope    Scope       `json:"scope"`
	Classes  []ClassRule `json:"classes"`
	// Transcript is the hash of the key-ceremony transcript whose keys this
	// manifest uses.
	Transcript  Hash         `json:"transcript"`
	Hub         Operator     `json:"hub"`
	Holders     []Holder     `json:"holders"`
	Quorum      int          `json:"quorum"` // t: partials to open, and witnesses to a checkpoint; 2t > n
	Members     []Member     `json:"members"`
	Authority   Authority    `json:"authority"`
	Approvers   []Approver   `json:"approvers"`
	LegalBases  []LegalBasis `json:"legal_bases"`
	Rules       []Rule       `json:"rules"`
	CurrentRule Hash         `json:"current_rule"`
	Delays      Delays       `json:"delays"`
	// Emergency allows breaking the glass; absent, nobody can.
	Emergency *Emergency `json:"emergency,omitempty"`
	// KeysEnd is when the holders destroy the shares of this epoch. No tag
	// lasts longer. 0: no date is fixed, in a demonstration only.
	KeysEnd int64 `json:"keys_end"`
	// DeskWitnesses cosign checkpoints beside the key holders; optional, so that
	// a manifest without them reads as before.
	DeskWitnesses []DeskWitness `json:"desk_witnesses,omitempty"`
	// Auditors may read the pool's structure at the hub; optional as well.
	Auditors []Auditor `json:"auditors,omitempty"`
	// QueryAuditors open samples of what members asked for; optional as well.
	QueryAuditors []QueryAuditor `json:"query_auditors,omitempty"`
	// Generation of the key shares whose committee Holders and Quorum are: 0 is
	// the ceremony's. Nobody signs it here; it follows from the records of
	// resharings (client.Setup.Fit).
	Generation int `json:"-"`
}

// Scope: what the pool is for.
type Scope struct {
	Offences []string `json:"offences"`
	Roles    []string `json:"roles"` // subject roles an observation may carry
}

// A ClassRule admits a selector class, pins its rule version and bounds what
// one member may ask of it: evaluated points a day, dummies included.
type ClassRule struct {
	Class       selector.Class `json:"class"`
	RuleVersion int            `json:"rule_version"`
	DailyBudget int            `json:"daily_budget"`
}

// Operator runs the hub.
type Operator struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	URL    string            `json:"url"`
	Key    ed25519.PublicKey `json:"key"`
	// LogOrigin and LogKey name the transparency log (C2SP checkpoint origin
	// and its Ed25519 key).
	LogOrigin string            `json:"log_origin"`
	LogKey    ed25519.PublicKey `json:"log_key"`
}

// A Holder is one key holder; Index is 1..n and fixed by the ceremony.
type Holder struct {
	Index  int               `json:"index"`
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	URL    string            `json:"url"`
	Key    ed25519.PublicKey `json:"key"`  // signs messages, receipts, partials
	HPKE   []byte            `json:"hpke"` // X25519, 32 bytes
	// Witness signs cosignatures and nothing else.
	Witness ed25519.PublicKey `json:"witness"`
}

// Member statuses.
const (
	Active    = "active"
	Suspended = "suspended"
)

// A Member contributes observations.
type Member struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Entity   string            `json:"entity"` // controlling entity
	Sector   string            `json:"sector"`
	Key      ed25519.PublicKey `json:"key"`
	Admitted int64             `json:"admitted"`
	Status   string            `json:"status"`
}

// Authority receives what is opened.
type Authority struct {
	ID     string `json:"id"`
	Entity string `json:"entity"`
	HPKE   []byte `json:"hpke"` // X25519, 32 bytes: recipient of partials and boxes
}

// Approver roles: one of each must approve.
const (
	RoleAuthority = "authority"
	RoleOversight = "oversight"
)

// An Approver is a person's key at a desk.
type Approver struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	Role   string            `json:"role"`
	Key    ed25519.PublicKey `json:"key"`
}

// A LegalBasis that a request may rest on. Holders check that it is listed,
// valid today and fits purpose and recipient; they do not judge its merits.
type LegalBasis struct {
	ID        string `json:"id"`
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
}

// Delays between logging, request and release.
type Delays struct {
	// OpenSeconds: an observation must have been witnessed in the log this
	// long before the request, and the request this long before release. The
	// delay is also the holders' veto window.
	OpenSeconds int64 `json:"open_seconds"`
	// ReleaseEvery: releases happen only at whole multiples of this many
	// seconds since 1970-01-01 UTC; between them a holder waits.
	ReleaseEvery int64 `json:"release_every"`
}

// Digest is the SHA-256 that names a signed manifest body.
func Digest(body []byte) Hash { return sha256.Sum256(body) }

// A SignedManifest is the exact body with the signatures of governors.
type SignedManifest struct {
	Body []byte      `json:"body"`
	Sigs []Signature `json:"sigs"`
}

// A Signature by a named key.
type Signature struct {
	Key string `json:"key"`
	Sig []byte `json:"sig"`
}

// Governance is the quorum that signs manifests; fixed at the key ceremony.
type Governance struct {
	Threshold int        `json:"threshold"`
	Governors []Governor `json:"governors"`
}

// A Governor holds one governance key.
type Governor struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	Key    ed25519.PublicKey `json:"key"`
}

// SignManifest encodes m and signs it with one governor's key; further
// governors add theirs with [SignedManifest.Add].
func SignManifest(m Manifest) (SignedManifest, error) {
	if err := m.Check(); err != nil {
		return SignedManifest{}, err
	}
	body, err := signed.Marshal(m)
	return SignedManifest{Body: body}, err
}

// Add appends a governor's signature.
func (s *SignedManifest) Add(id string, key ed25519.PrivateKey) {
	s.Sigs = append(s.Sigs, Signature{Key: id, Sig: ed25519.Sign(key, signed.Input(ManifestDomain, s.Body))})
}

// Verify requires the signatures of a quorum over a body, each governor once.
func (g Governance) Verify(domain string, body []byte, sigs []Signature) error {
	good := make(map[string]bool)
	for _, sig := range sigs {
		for _, gov := range g.Governors {
			if gov.ID == sig.Key && signed.Verify(domain, gov.Key, body, sig.Sig) == nil {
				good[gov.ID] = true
			}
		}
	}
	if g.Threshold < 1 || len(good) < g.Threshold {
		return fmt.Errorf("%d of %d governance signatures verify, %d are needed", len(good), len(g.Governors), g.Threshold)
	}
	return nil
}

// Open verifies the governance quorum and decodes the manifest.
func (s SignedManifest) Open(g Governance) (Manifest, error) {
	if err := g.Verify(ManifestDomain, s.Body, s.Sigs); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	var m Manifest
	if err := signed.Unmarshal(s.Body, &m); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	for _, gov := range g.Governors {
		if gov.Entity == m.Hub.Entity {
			return Manifest{}, fmt.Errorf("manifest: governor %s belongs to the hub operator", gov.ID)
		}
	}
	return m, m.Check()
}

// Check refuses a manifest that breaks the structure every pool must have.
func (m Manifest) Check() error {
	if m.Version < 1 || m.Pool == "" || m.Epoch == "" {
		return errors.New("manifest: version, pool and epoch are needed")
	}
	if (m.Version == 1) != (m.Previous == Hash{}) {
		return errors.New("manifest: version 1 has no previous version, every other has one")
	}
	if n := len(m.Holders); n < 2 || 2*m.Quorum <= n || m.Quorum > n {
		return fmt.Errorf("manifest: quorum %d of %d holders; twice the quorum must exceed the holders", m.Quorum, n)
	}
	if err := m.checkSeparation(); err != nil {
		return err
	}
	if m.KeysEnd < 0 || (m.KeysEnd == 0 && !m.Demo) {
		return errors.New("manifest: keys_end, the time at which the holders destroy this epoch's shares, is needed")
	}
	if m.Delays.OpenSeconds < 0 || m.Delays.ReleaseEvery < 1 {
		return errors.New("manifest: delays need open_seconds of at least 0 and release_every of at least 1")
	}
	if err := m.Emergency.check(m); err != nil {
		return err
	}
	seen := make(map[selector.Class]bool)
	for _, c := range m.Classes {
		if seen[c.Class] || c.DailyBudget < 1 || c.RuleVersion < 1 {
			return fmt.Errorf("manifest: class %s is listed twice or lacks a budget or rule version", c.Class)
		}
		seen[c.Class] = true
	}
	if err := errors.Join(m.checkWitnesses(), m.checkAuditors()); err != nil {
		return err
	}
	return m.checkPeople()
}

// checkSeparation: no two shares with one controlling entity, none with the
// authority or the hub operator.
func (m Manifest) checkSeparation() error {
	entities := make(map[string]string)
	for i, h := range m.Holders {
		if h.Index != i+1 || len(h.Key) != ed25519.PublicKeySize || len(h.Witness) != ed25519.PublicKeySize || len(h.HPKE) != 32 {
			return fmt.Errorf("manifest: holder %q needs index %d and keys of 32 bytes", h.ID, i+1)
		}
		if other, dup := entities[h.Entity]; dup {
			return fmt.Errorf("manifest: holders %s and %s belong to one controlling entity", other, h.ID)
		}
		if h.Entity == m.Hub.Entity || h.Entity == m.Authority.Entity {
			return fmt.Errorf("manifest: holder %s belongs to the authority or the hub operator", h.ID)
		}
		entities[h.Entity] = h.ID
	}
	return nil
}

func (m Manifest) checkPeople() error {
	ids := make(map[string]bool)
	contributors := make(map[string]bool)
	for _, mem := range m.Members {
		if ids[mem.ID] || mem.ID == "" || mem.Entity == "" || len(mem.Key) != ed25519.PublicKeySize {
			return fmt.Errorf("manifest: member %q is listed twice or lacks an entity or a key", mem.ID)
		}
		if mem.Status != Active && mem.Status != Suspended {
			return fmt.Errorf("manifest: member %q has status %q", mem.ID, mem.Status)
		}
		ids[mem.ID] = true
		contributors[mem.Entity] = true
	}
	for _, a := range m.Approvers {
		switch {
		case len(a.Key) != ed25519.PublicKeySize:
			return fmt.Errorf("manifest: approver %q lacks a key", a.ID)
		case a.Role == RoleAuthority && a.Entity != m.Authority.Entity:
			return fmt.Errorf("manifest: approver %q does not belong to the authority", a.ID)
		case a.Role == RoleOversight && (a.Entity == m.Authority.Entity || a.Entity == m.Hub.Entity || contributors[a.Entity]):
			return fmt.Errorf("manifest: oversight approver %q belongs to the authority, the operator or a contributor", a.ID)
		case a.Role != RoleAuthority && a.Role != RoleOversight:
			return fmt.Errorf("manifest: approver %q has role %q", a.ID, a.Role)
		}
	}
	found := false
	for _, r := range m.Rules {
		if err := r.Check(); err != nil {
			return err
		}
		found = found || r.Hash() == m.CurrentRule
	}
	if !found {
		return errors.New("manifest: current_rule is not among the rules")
	}
	return nil
}

// Member finds a member by id.
func (m Manifest) Member(id string) (Member, bool) {
	for _, x := range m.Members {
		if x.ID == id {
			return x, true
		}
	}
	return Member{}, false
}

// Approver finds an approver by id.
func (m Manifest) Approver(id string) (Approver, bool) {
	for _, x := range m.Approvers {
		if x.ID == id {
			return x, true
		}
	}
	return Approver{}, false
}

// Class finds the rule for a selector class.
func (m Manifest) Class(c selector.Class) (ClassRule, bool) {
	for _, x := range m.Classes {
		if x.Class == c {
			return x, true
		}
	}
	return ClassRule{}, false
}

// Rule finds an opening rule by hash.
func (m Manifest) Rule(h Hash) (Rule, bool) {
	for _, r := range m.Rules {
		if r.Hash() == h {
			return r, true
		}
	}
	return Rule{}, false
}

// AdmittedEntity is the earliest admission among an entity's members: time on
// the rule's clock is counted per controlling entity.
func (m Manifest) AdmittedEntity(entity string) time.Time {
	var first int64
	for _, x := range m.Members {
		if x.Entity == entity && (first == 0 || x.Admitted < first) {
			first = x.Admitted
		}
	}
	if first == 0 {
		return time.Time{}
	}
	return time.UnixMicro(first)
}
