package law

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
	"parallax/signed"
)

// publicationDomain keeps a signature over law data from passing for any other.
const publicationDomain = "parallax/gateway-publication/v1"

// Statement is what counsel sign about a file of law data: that they reviewed
// these exact bytes and from when to when the deployment may answer by them.
type Statement struct {
	SHA256        string `json:"sha256"` // of the file's bytes, in hex
	Base          string `json:"base"`   // of the data set that an overlay is laid over; empty for a data set
	DataVersion   string `json:"data_version"`
	EffectiveFrom string `json:"effective_from"`
	EffectiveTo   string `json:"effective_to"` // empty: until another version
	Review        string `json:"review"`       // the sentence shown with every answer
}

// Publication is a statement with the signatures over it.
type Publication struct {
	Body       []byte          `json:"body"`
	Signatures []signed.Object `json:"signatures"`
}

// Counsel is a person whose signature a deployment accepts, and the body that
// the person acts for.
type Counsel struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	Key    ed25519.PublicKey `json:"key"`
}

// State makes the statement about a file; base is the data set that an overlay
// is laid over, nil where the file is a data set itself. The rows under an
// overlay decide its answers too, so its signatures cover their hash.
func State(raw, base []byte, version, from, to, review string) (Statement, error) {
	s := Statement{SHA256: digest(raw), Base: baseOf(base), DataVersion: version, EffectiveFrom: from, EffectiveTo: to, Review: review}
	return s, s.check()
}

func (s Statement) check() error {
	if err := route.Date("effective_from", s.EffectiveFrom); err != nil {
		return fault.New(fault.Invalid, err.Error())
	}
	if s.EffectiveTo != "" {
		if err := route.Date("effective_to", s.EffectiveTo); err != nil {
			return fault.New(fault.Invalid, err.Error())
		}
		if s.EffectiveTo < s.EffectiveFrom {
			return fault.Newf(fault.Invalid, "effective_to %s lies before effective_from %s", s.EffectiveTo, s.EffectiveFrom)
		}
	}
	if s.DataVersion == "" || strings.TrimSpace(s.Review) == "" {
		return fault.New(fault.Invalid, "a publication names the data version and the sentence that is shown with every answer")
	}
	return nil
}

func baseOf(base []byte) string {
	if base == nil {
		return ""
	}
	return digest(base)
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Sign adds a signature. The first one fixes the statement; each later one must
// be over the same.
func (p Publication) Sign(s Statement, id string, key ed25519.PrivateKey) (Publication, error) {
	o, err := signed.Sign(publicationDomain, id, key, s)
	if err != nil {
		return p, err
	}
	if p.Body != nil && !bytes.Equal(p.Body, o.Body) {
		return p, fault.New(fault.Conflict, "the other signatures are over another statement (file, dates or sentence); start a new publication")
	}
	if slices.ContainsFunc(p.Signatures, func(e signed.Object) bool { return e.Key == id }) {
		return p, fault.Newf(fault.Conflict, "%s has signed already", id)
	}
	p.Body = o.Body
	p.Signatures = append(slices.Clone(p.Signatures), o)
	return p, nil
}

// Verify checks that two counsel of the list signed this very file, over this
// very data set where it is an overlay, and that it is effective on the day. It returns what they said and who they are.
func (p Publication) Verify(raw, base []byte, trusted []Counsel, day string) (Statement, []string, error) {
	var s Statement
	if err := signed.Unmarshal(p.Body, &s); err != nil {
		return s, nil, fault.Wrap(fault.Invalid, "the publication cannot be read", err)
	}
	if err := s.check(); err != nil {
		return s, nil, err
	}
	if s.SHA256 != digest(raw) {
		return s, nil, fault.New(fault.Forbidden, "the file is not the one that counsel signed")
	}
	if s.Base != baseOf(base) {
		return s, nil, fault.New(fault.Forbidden, "the data set under the overlay is not the one that counsel signed the overlay over; have them review it against these rows and sign again")
	}
	var names []string
	var keys []string
	for _, o := range p.Signatures {
		i := slices.IndexFunc(trusted, func(c Counsel) bool { return c.ID == o.Key })
		if i < 0 || !bytes.Equal(o.Body, p.Body) || o.Open(publicationDomain, trusted[i].Key, new(Statement)) != nil {
			continue
		}
		if k := string(trusted[i].Key); !slices.Contains(keys, k) {
			keys, names = append(keys, k), append(names, trusted[i].ID)
		}
	}
	if len(names) < 2 {
		return s, names, fault.Newf(fault.Forbidden, "a version needs the signatures of two counsel of this deployment; it has %d", len(names))
	}
	return s, names, s.Effective(day)
}

// Effective says whether the deployment may answer by the file on a day.
func (s Statement) Effective(day string) error {
	if day < s.EffectiveFrom || s.EffectiveTo != "" && day > s.EffectiveTo {
		return fault.Newf(fault.Forbidden, "the version is effective %s to %s and not on %s", s.EffectiveFrom, orOpen(s.EffectiveTo), day)
	}
	return nil
}

func orOpen(date string) string {
	if date == "" {
		return "open"
	}
	return date
}

// Sentence is what is shown with every answer by a file that counsel signed.
func (s Statement) Sentence(by []string) string {
	return fmt.Sprintf("%s (signed by %s, effective %s to %s)", s.Review, strings.Join(by, " and "), s.EffectiveFrom, orOpen(s.EffectiveTo))
}

// needsReview is said of every file that counsel have not signed.
const needsReview = "illustrative; needs review by counsel"

// Unsigned is what is shown of a file that nobody signed, whatever the file
// says of itself.
func Unsigned(review string) string {
	switch {
	case strings.Contains(review, needsReview):
		return review
	case review == "":
		return needsReview
	}
	return needsReview + "; unsigned, it says of itself: " + review
}
