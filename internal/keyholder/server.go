package keyholder

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// A Server is one running key holder. Its methods are the acts that it can be
// asked for; each checks everything itself and writes the journal before it
// answers.
type Server struct {
	who   Identity
	clock clock.Clock
	log   *slog.Logger
	demo  bool

	dir     string
	sharing sync.Mutex               // one pass over the board at a time; taken before mu
	at      func(point string) error // tests stop here; nil otherwise

	mu      sync.Mutex // owns keys, state, refused, seen, saw and the order of the journal
	keys    keys
	state   *state
	journal *journal
	refused refusals
	seen    eyes
	saw     string // what the last look at the board for resharings said
}

// Options of a running holder.
type Options struct {
	Dir   string
	Demo  bool // accept demonstration manifests
	Clock clock.Clock
	Log   *slog.Logger
}

// Open loads identity, shares and journal and refuses to start on any mismatch.
func Open(o Options) (*Server, error) {
	who, err := LoadIdentity(o.Dir)
	if err != nil {
		return nil, err
	}
	k, err := loadKeys(o.Dir, who)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(clearOld(o.Dir, sharesFile), clearOld(o.Dir, actedFile)); err != nil {
		return nil, err
	}
	s := &Server{who: who, keys: k, dir: o.Dir, clock: o.Clock, log: o.Log, demo: o.Demo, state: newState()}
	s.journal, err = openJournal(filepath.Join(o.Dir, journalFile), func(kind string, data []byte) error {
		return s.state.apply(k.plan.Governance, kind, data)
	})
	if err != nil {
		return nil, err
	}
	if s.state.manifest.Demo && !o.Demo {
		s.journal.close()
		return nil, errors.New("the manifest is for demonstration only; start with --demo or use another directory")
	}
	return s, nil
}

// Close releases the journal.
func (s *Server) Close() error { return s.journal.close() }

// sender verifies a machine message to this holder from a sender whose key
// find returns.
func (s *Server) sender(o signed.Object, path string, find func(id string) ed25519.PublicKey, body any) (signed.Message, error) {
	key := find(o.Key)
	if key == nil {
		return signed.Message{}, fault.New(fault.Forbidden, "The sender is not registered in this pool's manifest.")
	}
	m, err := o.OpenMessage(s.who.ID, path, key, s.clock.Now())
	if err != nil {
		return signed.Message{}, fault.Wrap(fault.Forbidden, "The message was refused: "+err.Error()+".", err)
	}
	if err := signed.Unmarshal(m.Body, body); err != nil {
		return signed.Message{}, fault.Wrap(fault.Invalid, "The message body could not be read.", err)
	}
	return m, nil
}

func (s *Server) memberKey(id string) ed25519.PublicKey {
	if m, ok := s.state.manifest.Member(id); ok && m.Status == opening.Active && !s.state.denials.Suspended(id) {
		return m.Key
	}
	return nil
}

// Evaluate answers a member's blinded batch within its class budget. The
// charge is on disk before the answer exists; the same batch is charged once.
func (s *Server) Evaluate(o signed.Object) (client.EvaluateAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var req client.EvaluateRequest
	m, err := s.sender(o, client.PathEvaluate, s.memberKey, &req)
	if err != nil {
		return client.EvaluateAnswer{}, err
	}
	batch, digest, rule, err := s.checkBatch(m.Sender, req)
	if err != nil {
		return client.EvaluateAnswer{}, err
	}
	if own := s.keys.committee.Generation; req.Generation != own {
		return client.EvaluateAnswer{}, fault.Wrap(fault.Conflict, fmt.Sprintf("This holder's key share is of generation %d and the batch asks for generation %d; nothing was charged.", own, req.Generation), &otherGeneration{own})
	}
	share, err := s.keys.share(string(batch.Class))
	if err != nil {
		return client.EvaluateAnswer{}, err
	}
	if err := s.promised(req, batch, digest); err != nil {
		return client.EvaluateAnswer{}, err
	}
	now := s.clock.Now().UTC()
	receipt := client.EvaluateReceipt{Batch: digest, Index: s.keys.index, Generation: req.Generation, Day: now.Format(time.DateOnly)}
	key := budgetKey{m.Sender, string(batch.Class), receipt.Day}
	if !s.state.charged[digest] {
		left := rule.DailyBudget - s.state.used[key]
		if batch.Count > left {
			return client.EvaluateAnswer{}, fault.New(fault.Forbidden, fmt.Sprintf(
				"The daily budget for %s has %d points left and this batch needs %d. Nothing was charged; it renews at 00:00 UTC.", batch.Class, max(left, 0), batch.Count))
		}
		c := charge{Org: m.Sender, Class: string(batch.Class), Day: receipt.Day, Batch: digest, Points: batch.Count, Promise: req.Promise}
		if err := s.journal.append(kindCharge, c); err != nil {
			return client.EvaluateAnswer{}, unavailable(err)
		}
		if err := s.state.addCharge(c); err != nil {
			return client.EvaluateAnswer{}, err
		}
		receipt.Charged = batch.Count
	}
	receipt.Remaining = max(rule.DailyBudget-s.state.used[key], 0)
	answer, err := oprf.Evaluate(share, req.Points, rand.Reader)
	if err != nil {
		return client.EvaluateAnswer{}, fault.Wrap(fault.Invalid, "A blinded point is not valid.", err)
	}
	receipt.Answer = client.AnswerDigest(answer)
	obj, err := signed.Sign(client.EvaluateReceiptDomain, s.who.ID, s.who.signKey(), receipt)
	return client.EvaluateAnswer{Answer: answer, Receipt: obj}, err
}

func (s *Server) checkBatch(sender string, req client.EvaluateRequest) (client.BatchManifest, opening.Hash, opening.ClassRule, error) {
	fail := func(text string) (client.BatchManifest, opening.Hash, opening.ClassRule, error) {
		return client.BatchManifest{}, opening.Hash{}, opening.ClassRule{}, fault.New(fault.Invalid, text)
	}
	var b client.BatchManifest
	if err := req.Batch.Open(client.BatchDomain, s.memberKey(sender), &b); err != nil || req.Batch.Key != sender {
		return fail("The batch manifest is not signed by the sender.")
	}
	rule, ok := s.state.manifest.Class(selector.Class(b.Class))
	root, err := client.PointsRoot(req.Points)
	switch {
	case err != nil:
		return fail("A batch holds a power of two between 256 and 16,384 points.")
	case b.Pool != s.keys.plan.Pool || b.Epoch != s.keys.plan.Epoch || b.Organisation != sender:
		return fail("The batch is for another pool, epoch or organisation.")
	case !ok:
		return fail("The manifest does not admit this selector class.")
	case b.Count != len(req.Points) || !validPad(b.Count):
		return fail("A batch holds a power of two between 256 and 16,384 points, as its manifest says.")
	case b.Transcript != s.state.manifest.Transcript:
		return fail("The batch asks for a key of another ceremony.")
	case b.Root != root:
		return fail("The points are not those that the batch manifest covers.")
	}
	return b, opening.Digest(req.Batch.Body), rule, nil
}

func validPad(n int) bool {
	p, err := oprf.PadSize(n)
	return err == nil && p == n
}

// Cosign witnesses a checkpoint: consistent with all this holder has seen,
// recorded on disk before the cosignature exists.
func (s *Server) Cosign(o signed.Object) (client.CosignAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var req client.CosignRequest
	if _, err := s.sender(o, client.PathCosign, s.hubKey, &req); err != nil {
		return client.CosignAnswer{}, err
	}
	now := s.clock.Now()
	last := s.state.last()
	w := tlog.WitnessState{Size: last.Size, Root: last.Root}
	line, next, err := s.consider(w, req, now)
	if err != nil {
		return client.CosignAnswer{}, fault.Wrap(fault.Conflict, "The checkpoint was not cosigned: "+err.Error()+".", s.refusal(req.Note, err))
	}
	if next.Size > last.Size || len(s.state.witness) == 0 {
		rec := witnessed{Size: next.Size, Root: next.Root, Time: now.UnixMicro()}
		if err := s.journal.append(kindWitness, rec); err != nil {
			return client.CosignAnswer{}, unavailable(err)
		}
		s.state.witness = append(s.state.witness, rec)
	}
	return client.CosignAnswer{Line: line}, nil
}

func (s *Server) hubKey(id string) ed25519.PublicKey {
	if id == s.keys.plan.Hub.ID {
		return s.keys.plan.Hub.Key
	}
	return nil
}

// Deny keeps a signed fact that forbids openings and acknowledges it.
func (s *Server) Deny(o signed.Object) (signed.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest := opening.Digest(o.Body)
	if !s.state.denied[authored(o)] {
		d, err := opening.OpenDenial(s.state.manifest, s.keys.plan.Governance, o)
		if err != nil {
			return signed.Object{}, fault.Wrap(fault.Forbidden, "Refused: "+err.Error()+".", err)
		}
		if err := s.state.denials.Refuses(d, s.clock.Now()); err != nil {
			return signed.Object{}, fault.Wrap(fault.Conflict, "Refused: "+err.Error()+".", err)
		}
		if err := s.journal.append(kindDenial, o); err != nil {
			return signed.Object{}, unavailable(err)
		}
		if err := s.state.addDenial(s.keys.plan.Governance, o); err != nil {
			return signed.Object{}, err
		}
	}
	return signed.Sign(client.DenialAckDomain, s.who.ID, s.who.signKey(),
		client.DenialAck{Denial: digest, Holder: s.keys.index, Time: s.clock.Now().UnixMicro()})
}

// Open decides a bundle and answers with sealed partials, or a refusal with
// its reason. The release is on disk before any share leaves; the same request
// gets the same bytes for as long as this holder's share is the same.
func (s *Server) Open(b opening.Bundle) (client.OpenAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.takeManifests(b.Manifests); err != nil {
		return client.OpenAnswer{}, err
	}
	grant, err := s.decide(b)
	if grant.Digest != (opening.Hash{}) {
		if err := s.notePending(grant); err != nil {
			return client.OpenAnswer{}, err
		}
	}
	if errors.Is(err, opening.ErrWait) {
		return client.OpenAnswer{}, fault.Wrap(fault.Conflict, "Not yet: "+err.Error()+".", err)
	}
	if err != nil {
		s.refused.note(s.clock.Now(), opening.Digest(b.Request.Body), err.Error())
		s.log.Info("opening refused", "reason", err.Error())
		return client.OpenAnswer{}, fault.Wrap(fault.Forbidden, "Refused: "+err.Error()+".", err)
	}
	before, again := s.state.released(grant.Digest)
	if again && before.Generation == s.keys.committee.Generation {
		return client.OpenAnswer{Partials: before.Partials}, nil
	}
	partials, err := s.partials(grant)
	if err != nil {
		return client.OpenAnswer{}, err
	}
	r := release{Request: grant.Digest, Time: s.clock.Now().UnixMicro(), Partials: partials, Generation: s.keys.committee.Generation, Again: again}
	if again {
		r.Approvers, r.ReviewBy = before.Approvers, before.ReviewBy
	} else if e := s.state.manifest.Emergency; e != nil && grant.Request.Emergency != "" {
		r.ReviewBy = r.Time + e.ReviewSeconds*1_000_000
		for _, a := range b.Approvals {
			r.Approvers = append(r.Approvers, a.Key)
		}
	}
	if err := s.journal.append(kindRelease, r); err != nil {
		return client.OpenAnswer{}, unavailable(err)
	}
	s.state.addRelease(r)
	s.log.Info("opening released", "observations", len(partials))
	return client.OpenAnswer{Partials: partials}, nil
}

func (s *Server) decide(b opening.Bundle) (opening.Grant, error) {
	now := s.clock.Now()
	last := s.state.last()
	cp, err := s.verifyCheckpoint(b, last, now)
	if err != nil {
		return opening.Grant{}, err
	}
	return b.Decide(opening.View{Manifest: s.state.manifest, Governance: s.keys.plan.Governance,
		Denials: &s.state.denials, Now: now, Checkpoint: cp, Witnessed: s.state.witnessedAt, Broken: s.state.broken()})
}

func (s *Server) notePending(g opening.Grant) error {
	if _, ok := s.state.released(g.Digest); ok {
		return nil
	}
	p := pending{Request: g.Digest, Time: s.clock.Now().UnixMicro(), Count: len(g.Request.Labels), Purpose: g.Request.Purpose,
		Basis: g.Request.LegalBasis, Expires: g.Request.Expires, Playbook: g.Request.Playbook, Emergency: g.Request.Emergency}
	if !g.NotBefore.IsZero() {
		p.NotBefore = g.NotBefore.UnixMicro()
	}
	if had, ok := s.state.pending[g.Digest]; ok {
		if had.NotBefore == p.NotBefore {
			return nil
		}
		p.Time = had.Time // first seen then; the window became known now
	}
	if err := s.journal.append(kindPending, p); err != nil {
		return unavailable(err)
	}
	s.state.pending[p.Request] = p
	return nil
}

// partials computes, seals and signs one share per granted observation.
func (s *Server) partials(g opening.Grant) ([]signed.Object, error) {
	share, err := s.keys.share(client.PayloadLabel)
	if err != nil {
		return nil, err
	}
	out := make([]signed.Object, 0, len(g.Openings))
	for _, o := range g.Openings {
		p, err := seal.Decrypt(share, s.keys.plan.Pool, s.keys.plan.Epoch, o.KEM, o.Label, rand.Reader)
		if err != nil {
			return nil, err
		}
		raw, err := signed.Marshal(p)
		if err != nil {
			return nil, err
		}
		sealed, err := seal.SealTo(s.state.manifest.Authority.HPKE, opening.PartialInfo(g.Digest, o.Label, o.KEM.U, s.keys.index), raw)
		if err != nil {
			return nil, err
		}
		obj, err := signed.Sign(opening.PartialDomain, s.who.ID, s.who.signKey(),
			opening.SealedPartial{Request: g.Digest, Label: o.Label, Index: s.keys.index, Sealed: sealed, Generation: s.keys.committee.Generation})
		if err != nil {
			return nil, err
		}
		out = append(out, obj)
	}
	return out, nil
}

// otherGeneration: a batch asks for a share of another generation.
type otherGeneration struct{ own int }

// Error says which one this holder has.
func (e *otherGeneration) Error() string {
	return fmt.Sprintf("the share here is of generation %d", e.own)
}

func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, "The key holder cannot write its state, so nothing was answered.", err)
}
