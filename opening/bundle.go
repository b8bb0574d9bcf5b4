package opening

import (
	"errors"
	"fmt"
	"time"

	"parallax/oprf"
	"parallax/seal"
	"parallax/signed"
	"parallax/tlog"
)

// A BatchRecord is what the log commits to for one contribution batch.
type BatchRecord struct {
	Type  string `json:"type"` // "batch"
	Pool  string `json:"pool"`
	Epoch string `json:"epoch"`
	Org   string `json:"org"`
	Root  Hash   `json:"root"` // Merkle root of the batch's leaves
}

// A RequestRecord is what the log commits to for an approved request.
type RequestRecord struct {
	Type    string `json:"type"` // "request"
	Pool    string `json:"pool"`
	Request Hash   `json:"request"`
	// Approvals are the digests of the approvals, in the order presented.
	Approvals []Hash `json:"approvals"`
}

// A LogProof opens a leaf of the transparency log: the record under its hiding
// commitment and the path into the bundle's checkpoint.
type LogProof struct {
	Opening   tlog.Opening   `json:"opening"`
	Inclusion tlog.Inclusion `json:"inclusion"`
}

// Verify checks the leaf against the checkpoint and decodes its record.
func (p LogProof) Verify(cp tlog.Checkpoint, record any) error {
	if p.Inclusion.Size != cp.Size {
		return fmt.Errorf("inclusion proof is for a log of %d entries, the checkpoint has %d", p.Inclusion.Size, cp.Size)
	}
	leaf := tlog.Commit(p.Opening.Nonce, p.Opening.Record)
	if err := p.Inclusion.Verify(leaf, cp.Root); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	return signed.Unmarshal(p.Opening.Record, record)
}

// A Placed observation shows its place in a batch that its organisation signed.
type Placed struct {
	Observation Observation `json:"observation"`
	Path        seal.Path   `json:"path"`
	Root        Hash        `json:"root"`
	BatchSig    []byte      `json:"batch_sig"`
}

// ErrNotSigned: header, box or encapsulation are not what the organisation
// signed and logged. Whoever assembled the item, the hub, is at fault.
var ErrNotSigned = errors.New("it is not what its organisation signed")

// VerifyBatch checks that the member signed a batch with exactly this
// observation in it: header and box by the label, and the encapsulation.
func (p Placed) VerifyBatch(m Member, h Header) error {
	leaf, err := p.Observation.Leaf()
	if err != nil {
		return err
	}
	if err := p.Path.Verify(leaf, p.Root); err != nil {
		return fmt.Errorf("batch path: %w: %w", ErrNotSigned, err)
	}
	if err := seal.VerifyBatch(m.Key, h.Pool, h.Epoch, h.Organisation, p.Root, p.BatchSig); err != nil {
		return fmt.Errorf("batch signature: %w: %w", ErrNotSigned, err)
	}
	return nil
}

// An Item is a placed observation with its batch's place in the log.
type Item struct {
	Placed
	Log LogProof `json:"log"`
}

// A Bundle is everything a holder needs to decide by itself.
type Bundle struct {
	Manifests   []SignedManifest `json:"manifests"` // from the holder's version on, oldest first
	Items       []Item           `json:"items"`
	Request     signed.Object    `json:"request"`
	Approvals   []signed.Object  `json:"approvals"`
	RequestLog  LogProof         `json:"request_log"`
	Checkpoint  []byte           `json:"checkpoint"`  // note with cosignatures
	Consistency tlog.Consistency `json:"consistency"` // from the holder's last checkpoint
	// Reviews of earlier break-glass openings, where this one breaks the glass.
	Reviews []signed.Object `json:"reviews,omitempty"`
}

// A View is what the verifier brings itself, never from the bundle.
type View struct {
	Manifest   Manifest
	Governance Governance
	Denials    *Denials
	Now        time.Time
	// Checkpoint is the verified checkpoint of the bundle.
	Checkpoint tlog.Checkpoint
	// Witnessed gives the time from which the holder itself knows that the
	// log held at least size entries; false if it never saw that.
	Witnessed func(size int64) (time.Time, bool)
	// Broken are the break-glass openings that the verifier released before.
	Broken []Broken
}

// A Grant is a verified decision to release: the request, its digest, and for
// each label to open its key encapsulation and reasons.
type Grant struct {
	Request  Request
	Digest   Hash
	Openings []Granted
	// NotBefore is the first release time that the delays allow.
	NotBefore time.Time
}

// Granted is one observation that may be opened.
type Granted struct {
	Label    seal.Label
	KEM      seal.KEM
	Decision Decision
}

// ErrWait marks refusals that time alone will mend.
var ErrWait = errors.New("not yet")

// Decide is the whole check of a bundle, the same for every verifier: no
// proof, no share. It returns a grant or the first reason to refuse.
func (b Bundle) Decide(v View) (Grant, error) {
	if v.Denials.Halted() {
		return Grant{}, errors.New("openings are halted")
	}
	req, digest, err := Approved(v.Manifest, b.Request, b.Approvals, v.Now)
	if err != nil {
		return Grant{}, err
	}
	if err := b.checkReviews(v, req); err != nil {
		return Grant{}, err
	}
	var rec RequestRecord
	if err := b.RequestLog.Verify(v.Checkpoint, &rec); err != nil {
		return Grant{}, fmt.Errorf("the request is not in the log: %w", err)
	}
	if rec.Type != "request" || rec.Pool != v.Manifest.Pool || rec.Request != digest || !sameApprovals(rec.Approvals, b.Approvals) {
		return Grant{}, errors.New("the log entry is for another request or other approvals")
	}
	facts, headers, err := b.facts(v, req)
	if err != nil {
		return Grant{}, err
	}
	grant := Grant{Request: req, Digest: digest}
	if grant.Openings, err = decideAll(v, req, facts, headers); err != nil {
		return Grant{}, err
	}
	return grant, b.checkDelay(v, &grant)
}

func sameApprovals(want []Hash, got []signed.Object) bool {
	if len(want) != len(got) {
		return false
	}
	for i, a := range got {
		if Digest(a.Body) != want[i] {
			return false
		}
	}
	return true
}

type verified struct {
	header Header
	kem    seal.KEM
	fact   Fact
	label  seal.Label
}

// facts verifies every item and returns those that count, by label.
func (b Bundle) facts(v View, req Request) ([]Fact, map[seal.Label]verified, error) {
	var facts []Fact
	seen := make(map[seal.Label]verified, len(b.Items))
	delay := time.Duration(v.Manifest.Delays.OpenSeconds) * time.Second
	for i, it := range b.Items {
		x, err := it.verify(v)
		if err != nil {
			return nil, nil, fmt.Errorf("observation %d: %w", i+1, err)
		}
		if _, dup := seen[x.label]; dup {
			return nil, nil, fmt.Errorf("observation %d is a replay of another in the bundle", i+1)
		}
		at, ok := v.Witnessed(it.Log.Inclusion.Index + 1)
		if !ok || time.UnixMicro(req.Time).Before(at.Add(delay)) {
			return nil, nil, fmt.Errorf("observation %d was not in the witnessed log for %s before the request: %w", i+1, delay, ErrWait)
		}
		seen[x.label] = x
		facts = append(facts, x.fact)
	}
	return facts, seen, nil
}

func (it Item) verify(v View) (verified, error) {
	h, label, err := it.Observation.Verify()
	if err != nil {
		return verified{}, err
	}
	member, ok := v.Manifest.Member(h.Organisation)
	switch {
	case !ok:
		return verified{}, fmt.Errorf("organisation %q is not registered", h.Organisation)
	case member.Status != Active:
		return verified{}, fmt.Errorf("organisation %q is suspended", h.Organisation)
	case h.Sector != member.Sector:
		return verified{}, errors.New("the sector is not the member's")
	case h.Pool != v.Manifest.Pool || h.Epoch != v.Manifest.Epoch:
		return verified{}, errors.New("it belongs to another pool or epoch")
	case h.Manifest > v.Manifest.Version:
		return verified{}, fmt.Errorf("it names manifest version %d, this verifier knows %d", h.Manifest, v.Manifest.Version)
	case h.Outlives(v.Manifest.KeysEnd):
		return verified{}, errors.New("a tag outlives the keys of its epoch")
	case v.Denials.Forbids(h.Organisation, label):
		return verified{}, errors.New("it was withdrawn, corrected or frozen, or its organisation suspended")
	}
	fact := h.Fact(label, v.Manifest, v.Now)
	if len(fact.Tags) == 0 {
		return verified{}, errors.New("it has expired")
	}
	if err := it.VerifyBatch(member, h); err != nil {
		return verified{}, err
	}
	var rec BatchRecord
	if err := it.Log.Verify(v.Checkpoint, &rec); err != nil {
		return verified{}, fmt.Errorf("not in the log: %w", err)
	}
	if rec.Type != "batch" || rec.Pool != h.Pool || rec.Epoch != h.Epoch || rec.Org != h.Organisation || rec.Root != it.Root {
		return verified{}, errors.New("its log entry is for another batch")
	}
	return verified{header: h, kem: it.Observation.KEM, fact: fact, label: label}, nil
}

// decideAll applies to each requested observation the rule that it was
// contributed under.
func decideAll(v View, req Request, facts []Fact, all map[seal.Label]verified) ([]Granted, error) {
	var out []Granted
	for _, label := range req.Labels {
		x, ok := all[label]
		if !ok {
			return nil, errors.New("the bundle lacks an observation that the request lists")
		}
		rule, ok := v.Manifest.Rule(x.header.Rule)
		if !ok {
			return nil, errors.New("an observation was contributed under a rule that the manifest does not hold")
		}
		d := Decide(rule, x.fact, facts, v.Now)
		if !d.Open {
			return nil, fmt.Errorf("the opening rule is not met: %s", unmet(d))
		}
		if d.ChildPossible && req.Playbook != PlaybookChildPossible {
			return nil, errors.New(`a linked observation says that the subject may be a child: only the playbook "could this be a child?" opens it`)
		}
		out = append(out, Granted{Label: label, KEM: x.kem, Decision: d})
	}
	return out, nil
}

func unmet(d Decision) string {
	text := ""
	for _, c := range d.Conditions {
		if !c.Met {
			if text != "" {
				text += "; "
			}
			text += fmt.Sprintf("%s %d of %d", c.Name, c.Have, c.Need)
		}
	}
	return text
}

// checkDelay sets the first release time and refuses before it.
func (b Bundle) checkDelay(v View, g *Grant) error {
	at, ok := v.Witnessed(b.RequestLog.Inclusion.Index + 1)
	if !ok {
		return fmt.Errorf("the request's log entry has not been witnessed: %w", ErrWait)
	}
	delays := g.Request.Delays(v.Manifest)
	g.NotBefore = NextRelease(delays, at.Add(time.Duration(delays.OpenSeconds)*time.Second))
	if v.Now.Before(g.NotBefore) {
		return fmt.Errorf("the release time is %s: %w", g.NotBefore.UTC().Format(time.RFC3339), ErrWait)
	}
	return nil
}

// NextRelease is the first manifest release time at or after t.
func NextRelease(d Delays, t time.Time) time.Time {
	every := d.ReleaseEvery
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return time.Unix((s+every-1)/every*every, 0)
}

// TagKey is the comparable form of a tag as facts carry it.
func TagKey(t oprf.Tag) string { return string(t[:]) }
