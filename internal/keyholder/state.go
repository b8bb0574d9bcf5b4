package keyholder

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// Journal entry kinds.
const (
	kindCharge   = "charge"
	kindWitness  = "witness"
	kindManifest = "manifest"
	kindDenial   = "denial"
	kindPending  = "pending"
	kindRelease  = "release"
	kindProposal = "proposal"
	kindAudited  = "audited"
)

type charge struct {
	Org    string       `json:"org"`
	Class  string       `json:"class"`
	Day    string       `json:"day"`
	Batch  opening.Hash `json:"batch"`
	Points int          `json:"points"`
	// Promise is the hub's that the batch will be in the log.
	Promise signed.Object `json:"promise"`
}

type witnessed struct {
	Size int64     `json:"size"`
	Root tlog.Hash `json:"root"`
	Time int64     `json:"time"`
}

type manifestSeen struct {
	Manifest opening.SignedManifest `json:"manifest"`
	Time     int64                  `json:"time"`
}

// proposal is a manifest that loosens the one before, from when this holder
// first saw it.
type proposal struct {
	Manifest opening.Hash `json:"manifest"`
	Time     int64        `json:"time"`
}

// pending is a request that this holder has been asked to open; it shows on
// the holder's page from the first time it is seen (the veto window).
type pending struct {
	Request opening.Hash `json:"request"`
	Time    int64        `json:"time"`
	Count   int          `json:"count"`
	Purpose string       `json:"purpose"`
	Basis   string       `json:"basis"`
	// NotBefore is when the veto window ends and shares may leave; 0 while the
	// request's own log entry has not been witnessed.
	NotBefore int64  `json:"not_before"`
	Expires   int64  `json:"expires"` // of the request
	Playbook  string `json:"playbook"`
	Emergency string `json:"emergency,omitempty"` // the ground of a break-glass request
}

// release is the holder's own record of a release, written before the shares
// leave; the same request always gets these same bytes.
type release struct {
	Request  opening.Hash    `json:"request"`
	Time     int64           `json:"time"`
	Partials []signed.Object `json:"partials"`
	// Of a break-glass opening: who approved it, and until when an oversight
	// body must have reviewed it.
	Approvers []string `json:"approvers,omitempty"`
	ReviewBy  int64    `json:"review_by,omitempty"`
	// Generation of the share; Again: the request was released before with a share
	// of another generation, and counts once.
	Generation int  `json:"generation,omitempty"`
	Again      bool `json:"again,omitempty"`
}

type budgetKey struct{ org, class, day string }

// state is everything that survives restart, rebuilt from the journal. The
// server's mutex owns it.
type state struct {
	used      map[budgetKey]int
	charged   map[opening.Hash]bool
	asked     []asked     // charges in the order in which they were taken
	witness   []witnessed // ascending size
	manifest  opening.Manifest
	signed    opening.SignedManifest
	since     time.Time // when the holder first saw this manifest
	began     time.Time // when it first saw any
	denials   opening.Denials
	denialLog []opening.Denial
	denialRaw []signed.Object // as they were taken, to hand over
	denied    map[opening.Hash]bool
	proposed  map[opening.Hash]proposal // manifests that loosen, by digest
	pending   map[opening.Hash]pending
	releases  []release
}

func newState() *state {
	return &state{used: make(map[budgetKey]int), charged: make(map[opening.Hash]bool),
		denied: make(map[opening.Hash]bool), proposed: make(map[opening.Hash]proposal), pending: make(map[opening.Hash]pending)}
}

// apply replays one journal entry; gov is the governance that the ceremony fixed.
func (s *state) apply(gov opening.Governance, kind string, data []byte) error {
	switch kind {
	case kindCharge:
		return decode(data, s.addCharge)
	case kindWitness:
		return decode(data, func(w witnessed) error { s.witness = append(s.witness, w); return nil })
	case kindManifest:
		return decode(data, func(m manifestSeen) error { return s.setManifest(gov, m) })
	case kindDenial:
		return decode(data, func(o signed.Object) error { return s.addDenial(gov, o) })
	case kindProposal:
		return decode(data, func(p proposal) error { s.proposed[p.Manifest] = p; return nil })
	case kindAudited:
		return decode(data, func(audited) error { return nil })
	case kindPending:
		return decode(data, func(p pending) error { s.pending[p.Request] = p; return nil })
	case kindRelease:
		return decode(data, func(r release) error { s.addRelease(r); return nil })
	}
	return fmt.Errorf("unknown entry kind %q: this file was written by another version", kind)
}

func decode[T any](data []byte, use func(T) error) error {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	return use(v)
}

func (s *state) addCharge(c charge) error {
	s.charged[c.Batch] = true
	s.used[budgetKey{c.Org, c.Class, c.Day}] += c.Points
	s.asked = append(s.asked, asked{c, len(s.witness)})
	return nil
}

func (s *state) setManifest(gov opening.Governance, m manifestSeen) error {
	got, err := m.Manifest.Open(gov)
	if err != nil {
		return err
	}
	s.manifest, s.signed, s.since = got, m.Manifest, time.UnixMicro(m.Time)
	if s.began.IsZero() {
		s.began = s.since
	}
	return nil
}

func (s *state) addDenial(gov opening.Governance, o signed.Object) error {
	d, err := opening.OpenDenial(s.manifest, gov, o)
	if err != nil {
		return err
	}
	s.denials.Apply(d, gov.Entity(o.Key))
	s.denialLog, s.denialRaw = append(s.denialLog, d), append(s.denialRaw, o)
	s.denied[authored(o)] = true
	return nil
}

// authored names a denial by its author and its body: two governors may sign
// the same words.
func authored(o signed.Object) opening.Hash {
	return opening.Digest([]byte(o.Key + "|" + string(o.Body)))
}

func (s *state) addRelease(r release) {
	s.releases = append(s.releases, r)
	delete(s.pending, r.Request)
}

// broken lists the break-glass openings that this holder released.
func (s *state) broken() (out []opening.Broken) {
	for _, r := range s.releases {
		if r.ReviewBy > 0 && !r.Again {
			out = append(out, opening.Broken{Request: r.Request, Approvers: r.Approvers, ReviewBy: time.UnixMicro(r.ReviewBy)})
		}
	}
	return out
}

// released is the last release of a request.
func (s *state) released(request opening.Hash) (release, bool) {
	for _, r := range slices.Backward(s.releases) {
		if r.Request == request {
			return r, true
		}
	}
	return release{}, false
}

// witnessedAt is when this holder first cosigned a log of at least size
// entries: the witnessed time of the leaf before size.
func (s *state) witnessedAt(size int64) (time.Time, bool) {
	for _, w := range s.witness {
		if w.Size >= size {
			return time.UnixMicro(w.Time), true
		}
	}
	return time.Time{}, false
}

func (s *state) last() witnessed {
	if len(s.witness) == 0 {
		return witnessed{}
	}
	return s.witness[len(s.witness)-1]
}
