package pool

import (
	"fmt"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// A BatchError says what is wrong with a batch, line by line; nothing of the
// batch was stored.
type BatchError struct{ Lines []client.LineProblem }

// Error counts the lines.
func (e *BatchError) Error() string {
	return fmt.Sprintf("%d observations of the batch were refused, so nothing of it was stored", len(e.Lines))
}

// An entry is an observation that passed the door.
type entry struct {
	contributed client.Contributed
	header      opening.Header
	label       seal.Label
	expires     int64 // last expiry among its tags, UTC microseconds
}

// leaf is what the batch's signature covers of the entry.
func (e entry) leaf() seal.Leaf { return seal.LeafOf(e.label, e.contributed.Observation.KEM) }

// check is everything that is decided about a batch before the store is asked:
// a pure function of the batch, the manifest and the time.
func check(m opening.Manifest, sender string, req client.ContributeRequest, now time.Time) ([]entry, error) {
	member, ok := m.Member(sender)
	if !ok || member.Status != opening.Active {
		return nil, fault.New(fault.Forbidden, "Your organisation is not an active member of this pool.")
	}
	if n := len(req.Observations); n < 1 || n > seal.MaxBatch {
		return nil, fault.Newf(fault.Invalid, "A batch holds 1 to %d observations, this one has %d.", seal.MaxBatch, n)
	}
	if err := seal.VerifyBatch(member.Key, m.Pool, m.Epoch, sender, req.Root, req.Sig); err != nil {
		return nil, fault.Wrap(fault.Invalid, "The batch is not signed with your organisation's key for this pool and epoch.", err)
	}
	entries, err := checkLines(m, member, req, now)
	if err != nil {
		return nil, err
	}
	leaves := make([]seal.Leaf, len(entries))
	for i, e := range entries {
		leaves[i] = e.leaf()
	}
	if root, err := seal.Root(leaves); err != nil || root != req.Root {
		return nil, fault.New(fault.Invalid, "The batch root does not cover these observations in this order.")
	}
	return entries, nil
}

func checkLines(m opening.Manifest, member opening.Member, req client.ContributeRequest, now time.Time) ([]entry, error) {
	entries := make([]entry, 0, len(req.Observations))
	seen := make(map[seal.Label]int, len(req.Observations))
	var bad []client.LineProblem
	for i, c := range req.Observations {
		e, err := checkOne(m, member, c, now)
		if err == nil {
			if first, dup := seen[e.label]; dup {
				err = fmt.Errorf("it is the same as line %d", first)
			} else {
				seen[e.label] = i + 1
			}
		}
		if err != nil {
			bad = append(bad, client.LineProblem{Line: i + 1, Detail: err.Error()})
			continue
		}
		entries = append(entries, e)
	}
	if len(bad) > 0 {
		return nil, fault.Wrap(fault.Invalid, "Nothing of the batch was stored; the lines say why.", &BatchError{Lines: bad})
	}
	return entries, nil
}

// checkOne looks at one observation. The cheap refusals come first, the
// signatures last.
func checkOne(m opening.Manifest, member opening.Member, c client.Contributed, now time.Time) (entry, error) {
	h, err := opening.DecodeHeader(c.Observation.Header)
	if err != nil {
		return entry{}, err
	}
	if err := checkHeader(m, member, h, now); err != nil {
		return entry{}, err
	}
	if !seal.ValidBoxSize(len(c.Box)) {
		return entry{}, fmt.Errorf("the box has %d bytes, which is none of the padded sizes", len(c.Box))
	}
	if digest := seal.BoxDigest(c.Box); string(digest[:]) != string(c.Observation.BoxDigest) {
		return entry{}, fmt.Errorf("the box is not the one that the observation names")
	}
	if _, err := opening.ReadStatistics(c.Statistics, h); err != nil {
		return entry{}, err
	}
	h, label, err := c.Observation.Verify()
	if err != nil {
		return entry{}, err
	}
	e := entry{contributed: c, header: h, label: label}
	for _, t := range h.Tags {
		e.expires = max(e.expires, t.Expires)
	}
	return e, nil
}

func checkHeader(m opening.Manifest, member opening.Member, h opening.Header, now time.Time) error {
	switch {
	case h.Pool != m.Pool || h.Epoch != m.Epoch:
		return fmt.Errorf("it is for another pool or epoch than %s, %s", m.Pool, m.Epoch)
	case h.Organisation != member.ID:
		return fmt.Errorf("it names another organisation than its sender")
	case h.Sector != member.Sector:
		return fmt.Errorf("the sector is not the one that the manifest gives for your organisation")
	case !slices.Contains(m.Scope.Roles, h.Role):
		return fmt.Errorf("the subject role is outside the scope of this pool")
	case h.Manifest < 1 || h.Manifest > m.Version:
		return fmt.Errorf("it names manifest version %d, the current one is %d", h.Manifest, m.Version)
	case h.Outlives(m.KeysEnd):
		return fmt.Errorf("a tag outlives the keys of this epoch, which end on %s", time.UnixMicro(m.KeysEnd).UTC().Format(time.DateOnly))
	}
	if _, ok := m.Rule(h.Rule); !ok {
		return fmt.Errorf("its opening rule is not in the manifest")
	}
	for i, t := range h.Tags {
		if _, ok := m.Class(t.Class); !ok {
			return fmt.Errorf("tag %d is of a class that this pool does not take", i+1)
		}
		if t.Expires <= now.UnixMicro() {
			return fmt.Errorf("tag %d has expired", i+1)
		}
		if end := opening.MaxLife(t.Class, now); t.Expires > end.UnixMicro() {
			return fmt.Errorf("tag %d lasts longer than tags of its class may: until %s", i+1, end.UTC().Format(time.DateOnly))
		}
	}
	return nil
}
