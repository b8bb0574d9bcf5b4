package opening

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// HeaderVersion is the version of the header format.
const HeaderVersion = 1

// MaxTags bounds the selectors through which one observation is seen.
const MaxTags = 16

// A HeaderTag is one selector of the observation: its class, the possession
// key that only an evaluation of the selector yields, and its own expiry.
type HeaderTag struct {
	Class   selector.Class    `json:"class"`
	Key     ed25519.PublicKey `json:"key"`
	Expires int64             `json:"expires"` // UTC microseconds
}

// Tag is the 16-byte tag: SHA-256 over a domain and the possession key.
func (t HeaderTag) Tag() oprf.Tag { return oprf.TagOf(t.Key) }

// Roles of the subject that change how an observation is handled.
const RolePossibleVictim = "possible_victim"

// A Header is the part of an observation that hub and holders may read. It
// holds no selector, name or free text. Its canonical JSON is what is sealed
// over, labelled and signed.
type Header struct {
	Version      int         `json:"version"`
	Pool         string      `json:"pool"`
	Epoch        string      `json:"epoch"`
	Tags         []HeaderTag `json:"tags"`
	Organisation string      `json:"organisation"`
	Sector       string      `json:"sector"`
	Origin       string      `json:"origin"`   // "own" or "referred:ORG"
	Role         string      `json:"role"`     // subject role
	Source       string      `json:"source"`   // admiralty a..f
	Info         string      `json:"info"`     // admiralty 1..6
	Strength     int         `json:"strength"` // 1..3
	Kind         string      `json:"kind"`
	Week         string      `json:"week"` // ISO week of the evidence, "2026-W47"
	Rule         Hash        `json:"rule"`
	Manifest     int         `json:"manifest"`
	Evidence     Hash        `json:"evidence"`   // digest of the member's own evidence record
	Statistics   Hash        `json:"statistics"` // digest of the statistics part; zero if none
	Nonce        Hash        `json:"nonce"`
}

// Encode checks h and gives its canonical bytes.
func (h Header) Encode() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	return signed.Marshal(h)
}

// DecodeHeader reads canonical header bytes.
func DecodeHeader(raw []byte) (Header, error) {
	var h Header
	if err := signed.Unmarshal(raw, &h); err != nil {
		return Header{}, fmt.Errorf("header: %w", err)
	}
	return h, h.check()
}

func (h Header) check() error {
	switch {
	case h.Version != HeaderVersion:
		return fmt.Errorf("header: version %d, this program reads %d", h.Version, HeaderVersion)
	case len(h.Tags) < 1 || len(h.Tags) > MaxTags:
		return fmt.Errorf("header: %d tags, want 1 to %d", len(h.Tags), MaxTags)
	case h.Strength < 1 || h.Strength > 3:
		return fmt.Errorf("header: strength %d, want 1 to 3", h.Strength)
	case len(h.Source) != 1 || h.Source < "a" || h.Source > "f" || len(h.Info) != 1 || h.Info < "1" || h.Info > "6":
		return fmt.Errorf("header: grade %q%q, want a to f and 1 to 6", h.Source, h.Info)
	case h.Organisation == "" || h.Pool == "" || h.Epoch == "" || h.Manifest < 1:
		return errors.New("header: organisation, pool, epoch and manifest version are needed")
	case !wordForm.MatchString(h.Kind) || !wordForm.MatchString(h.Role) || !weekForm.MatchString(h.Week) || !originForm.MatchString(h.Origin):
		return errors.New("header: the kind, the role, the origin or the week of the evidence is not in form")
	}
	seen := make(map[string]bool, len(h.Tags))
	for i, t := range h.Tags {
		if len(t.Key) != ed25519.PublicKeySize || t.Expires <= 0 {
			return fmt.Errorf("header: tag %d lacks a key of 32 bytes or an expiry", i+1)
		}
		if seen[string(t.Key)] {
			return fmt.Errorf("header: tag %d is there twice", i+1)
		}
		seen[string(t.Key)] = true
	}
	return nil
}

// Outlives reports that a tag of the header lasts longer than the keys of its
// epoch; end is when those are destroyed, 0 if no date is fixed.
func (h Header) Outlives(end int64) bool {
	return end > 0 && slices.ContainsFunc(h.Tags, func(t HeaderTag) bool { return t.Expires > end })
}

// Unreliable reports a grade that weighs nothing: an unreliable source or
// improbable information.
func (h Header) Unreliable() bool { return h.Source == "e" || h.Info == "5" }

// An Observation is one contribution without its box: what a holder is shown.
type Observation struct {
	Header    []byte   `json:"header"`     // canonical bytes
	BoxDigest []byte   `json:"box_digest"` // SHA-512 of the box
	KEM       seal.KEM `json:"kem"`
	TagSigs   [][]byte `json:"tag_sigs"` // one per tag, by the tag's possession key, over the label
}

// Label names the observation and binds header and box.
func (o Observation) Label() (seal.Label, error) {
	if len(o.BoxDigest) != 64 {
		return seal.Label{}, fmt.Errorf("box digest has %d bytes, want 64", len(o.BoxDigest))
	}
	return seal.LabelOf(o.Header, [64]byte(o.BoxDigest)), nil
}

// Leaf is the observation's leaf in its batch: label and encapsulation.
func (o Observation) Leaf() (seal.Leaf, error) {
	label, err := o.Label()
	return seal.LeafOf(label, o.KEM), err
}

// Leaves are the leaves of a batch of observations, in order.
func Leaves(list []Observation) ([]seal.Leaf, error) {
	out := make([]seal.Leaf, len(list))
	for i, o := range list {
		var err error
		if out[i], err = o.Leaf(); err != nil {
			return nil, fmt.Errorf("observation %d: %w", i+1, err)
		}
	}
	return out, nil
}

// Verify checks everything that one observation can show by itself: a header
// in form, a key encapsulation bound to the label, and a signature by the
// possession key of every tag, so that nobody contributes a tag they did not
// evaluate.
func (o Observation) Verify() (Header, seal.Label, error) {
	h, err := DecodeHeader(o.Header)
	if err != nil {
		return Header{}, seal.Label{}, err
	}
	label, err := o.Label()
	if err != nil {
		return Header{}, seal.Label{}, err
	}
	if err := o.KEM.Verify(h.Pool, h.Epoch, label); err != nil {
		return Header{}, seal.Label{}, err
	}
	if len(o.TagSigs) != len(h.Tags) {
		return Header{}, seal.Label{}, fmt.Errorf("%d tag signatures for %d tags", len(o.TagSigs), len(h.Tags))
	}
	for i, t := range h.Tags {
		if !oprf.VerifyPossession(t.Key, label[:], o.TagSigs[i]) {
			return Header{}, seal.Label{}, fmt.Errorf("tag %d is not signed by its possession key", i+1)
		}
	}
	return h, label, nil
}

// Fact is the observation as the rule sees it; expired tags are left out.
func (h Header) Fact(label seal.Label, m Manifest, now time.Time) Fact {
	member, _ := m.Member(h.Organisation)
	f := Fact{ID: string(label[:]), Entity: member.Entity, Sector: member.Sector, Kind: h.Kind,
		Strength: h.Strength, Unreliable: h.Unreliable(), PossibleVictim: h.Role == RolePossibleVictim,
		Admitted: m.AdmittedEntity(member.Entity)}
	for _, t := range h.Tags {
		if now.UnixMicro() < t.Expires {
			tag := t.Tag()
			f.Tags = append(f.Tags, FactTag{Tag: string(tag[:]), Person: t.Class.Person(), Payment: t.Class.Payment()})
		}
	}
	return f
}
