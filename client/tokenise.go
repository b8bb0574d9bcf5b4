package client

import (
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/chacha20"

	"parallax/group"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// A Member is a contributor's view of one pool: the verified manifest and the
// keys that the pinned transcript fixes.
type Member struct {
	Caller
	Setup    Setup
	Manifest opening.Manifest
}

// PublicKey finds a ceremony key by label (a class, or PayloadLabel),
// with the points of the generation in force.
func (s Setup) PublicKey(label string) (group.PublicKey, error) {
	c := Committee{Keys: s.Transcript.Keys}
	if n := len(s.Reshares); n > 0 {
		c.Keys = s.Reshares[n-1].Record.Keys
	}
	return c.PublicKey(label)
}

// Verify checks a setup against the pinned transcript hash: all holders signed
// it, it was made from this plan, its keys are consistent, and every resharing
// follows from it.
func (s Setup) Verify(pin opening.Hash) error {
	if err := s.Plan.Check(); err != nil {
		return err
	}
	if err := s.Transcript.Verify(); err != nil {
		return err
	}
	if got := opening.Hash(s.Transcript.Hash()); got != pin {
		return fmt.Errorf("the transcript is %s, but %s is pinned", got, pin)
	}
	if err := s.Plan.matches(s.Transcript.Params); err != nil {
		return fmt.Errorf("the transcript: %w", err)
	}
	return s.verifyReshares()
}

// A Batch is blinded selectors of one class, reproducible from its seed so
// that a resumed submission asks for the same points and is charged nothing.
type Batch struct {
	Class  selector.Class
	Seed   [32]byte
	Time   int64    // UTC microseconds
	Inputs [][]byte // OPRF inputs, at most 16,384
	// Cases are the case records behind the inputs, in the same order; an audit
	// finds a row without one.
	Cases   []QueryCase
	Basis   string
	blinds  []oprf.Blinding
	points  []group.Point
	request EvaluateRequest
}

// Prepare blinds the inputs, pads the batch with dummies and signs its manifest.
func (m Member) Prepare(b *Batch) error {
	size, err := oprf.PadSize(len(b.Inputs))
	if err != nil {
		return err
	}
	random, err := seeded(b.Seed)
	if err != nil {
		return err
	}
	b.blinds, b.points = make([]oprf.Blinding, size), make([]group.Point, size)
	dummies := oprf.DummySeed(b.Seed)
	for i := range size {
		if b.blinds[i], b.points[i], err = oprf.Blind(b.input(dummies, i), random); err != nil {
			return fmt.Errorf("blind %d: %w", i+1, err)
		}
	}
	root, err := PointsRoot(b.points)
	if err != nil {
		return err
	}
	leaves, _, err := b.caseLeaves()
	if err != nil {
		return err
	}
	cases, err := seal.Root(leaves)
	if err != nil {
		return err
	}
	man := BatchManifest{Pool: m.Manifest.Pool, Epoch: m.Manifest.Epoch, Organisation: m.Sender,
		Class: string(b.Class), Count: size, Root: root, Cases: cases, Transcript: m.Manifest.Transcript, LegalBasis: b.Basis, Time: b.Time,
		Nonce: sha256.Sum256(append([]byte("parallax/batch-nonce/v1\x00"), b.Seed[:]...))}
	o, err := signed.Sign(BatchDomain, m.Sender, m.Key, man)
	b.request = EvaluateRequest{Batch: o, Points: b.points}
	return err
}

// input is what row i asks.
func (b *Batch) input(dummies [32]byte, i int) []byte {
	if i < len(b.Inputs) {
		return b.Inputs[i]
	}
	return oprf.DummyInput(dummies, i)
}

// Request is what a holder is asked for a prepared batch, as far as it is handed in.
func (b Batch) Request() EvaluateRequest { return b.request }

// Digest names a prepared batch, as holders charge it.
func (b Batch) Digest() opening.Hash { return opening.Digest(b.request.Batch.Body) }

// Tokenise hands a prepared batch in at the hub, asks the holders to evaluate it
// and gives one possession key per input. It goes on with any t holders; a wrong answer
// aborts with a *WrongAnswer, which is ErrWrongAnswer and holds the evidence.
func (m Member) Tokenise(ctx context.Context, b *Batch) ([]oprf.Possession, error) {
	pub, err := m.Setup.PublicKey(string(b.Class))
	if err != nil {
		return nil, err
	}
	b.request.Generation = len(m.Setup.Reshares)
	if _, err := m.HandIn(ctx, b); err != nil {
		return nil, fmt.Errorf("the batch could not be handed in for the log: %w", err)
	}
	answers, err := m.ask(ctx, pub, b)
	if err != nil {
		return nil, err
	}
	parts := make([]oprf.Answer, len(answers))
	for i, a := range answers {
		parts[i] = a.Answer
	}
	combined, err := oprf.Combine(pub, b.points, parts)
	if err != nil {
		if bad := m.accuse(pub, b.request, answers); bad != nil {
			return nil, bad
		}
		return nil, err
	}
	out := make([]oprf.Possession, len(b.Inputs))
	for i, input := range b.Inputs {
		y, err := oprf.Finalize(input, b.blinds[i], combined[i])
		if err != nil {
			return nil, err
		}
		out[i] = oprf.Possess(y, string(b.Class))
	}
	return out, nil
}

// ask sends the batch to every holder at once and returns the first t answers.
// A refusal by the rules (a budget, a suspension) is reported when fewer than t
// answer.
func (m Member) ask(ctx context.Context, pub group.PublicKey, b *Batch) ([]EvaluateAnswer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		answer EvaluateAnswer
		holder opening.Holder
		err    error
	}
	results := make(chan result, len(m.Manifest.Holders))
	var wg sync.WaitGroup
	for _, h := range m.Manifest.Holders {
		wg.Go(func() {
			r := result{holder: h}
			r.err = m.Call(ctx, h.ID, h.URL, PathEvaluate, b.request, &r.answer)
			results <- r
		})
	}
	var answers []EvaluateAnswer
	var failed error
	var moved *OtherGeneration
	for range m.Manifest.Holders {
		r := <-results
		if r.err == nil {
			r.err = checkEvaluateReceipt(r.answer, r.holder, b.request)
		}
		if r.err != nil {
			if p := new(Problem); errors.As(r.err, &p) && p.Generation != nil {
				moved = moved.newer(*p.Generation, b.request.Generation)
			}
			failed = errors.Join(failed, fmt.Errorf("key holder %s: %w", r.holder.ID, r.err))
			continue
		}
		answers = append(answers, r.answer)
		if len(answers) == pub.T {
			return answers, nil
		}
	}
	failed = fmt.Errorf("%d of %d key holders answered, %d are needed: %w", len(answers), len(m.Manifest.Holders), pub.T, failed)
	if moved != nil {
		return nil, errors.Join(moved, failed)
	}
	return nil, failed
}

// OtherGeneration: too few holders answered, and some of them hold shares of
// another generation than this setup knows.
type OtherGeneration struct{ Theirs, Ours int }

// Error says which side is behind.
func (e *OtherGeneration) Error() string {
	if e.Theirs > e.Ours {
		return fmt.Sprintf("the key holders hold generation %d of the key shares and this desk knows generation %d; it must fetch the newer record", e.Theirs, e.Ours)
	}
	return fmt.Sprintf("key holders still hold generation %d of the key shares and this desk knows generation %d already; they switch within moments", e.Theirs, e.Ours)
}

func (e *OtherGeneration) newer(theirs, ours int) *OtherGeneration {
	if e == nil || theirs > e.Theirs {
		return &OtherGeneration{theirs, ours}
	}
	return e
}

func checkEvaluateReceipt(a EvaluateAnswer, h opening.Holder, req EvaluateRequest) error {
	var r EvaluateReceipt
	if err := a.Receipt.Open(EvaluateReceiptDomain, h.Key, &r); err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	if r.Index != h.Index || a.Answer.Index != h.Index || r.Batch != opening.Digest(req.Batch.Body) {
		return errors.New("the receipt is for another batch or holder")
	}
	if r.Generation != req.Generation {
		return fmt.Errorf("the receipt is for a share of generation %d", r.Generation)
	}
	if r.Answer != AnswerDigest(a.Answer) {
		return errors.New("the receipt is for another answer")
	}
	return nil
}

// seeded is a deterministic stream of random bytes from a secret seed.
func seeded(seed [32]byte) (io.Reader, error) {
	key, err := hkdf.Key(sha256.New, seed[:], nil, "parallax/blinding/v1", chacha20.KeySize)
	if err != nil {
		return nil, err
	}
	c, err := chacha20.NewUnauthenticatedCipher(key, make([]byte, chacha20.NonceSize))
	if err != nil {
		return nil, err
	}
	return streamReader{c}, nil
}

type streamReader struct{ c *chacha20.Cipher }

// Read fills p with key stream.
func (s streamReader) Read(p []byte) (int, error) {
	clear(p)
	s.c.XORKeyStream(p, p)
	return len(p), nil
}

// A Draft is one observation before sealing.
type Draft struct {
	Header      opening.Header // without tags
	Possessions []TagDraft
	Payload     []byte
	Statistics  []byte // canonical opening.Statistics, for the hub alone; empty for none
}

// TagDraft is one selector of a draft.
type TagDraft struct {
	Class      selector.Class
	Possession oprf.Possession
	Expires    int64
}

// Seal makes an observation of a draft: header, key encapsulation, box and a
// signature by every tag's possession key.
func (m Member) Seal(d Draft) (Contributed, seal.Label, error) {
	h := d.Header
	for _, t := range d.Possessions {
		h.Tags = append(h.Tags, opening.HeaderTag{Class: t.Class, Key: t.Possession.Public(), Expires: t.Expires})
	}
	if len(d.Statistics) > 0 {
		h.Statistics = opening.Digest(d.Statistics)
		if _, err := opening.ReadStatistics(d.Statistics, h); err != nil {
			return Contributed{}, seal.Label{}, err
		}
	}
	raw, err := h.Encode()
	if err != nil {
		return Contributed{}, seal.Label{}, err
	}
	pub, err := m.Setup.PublicKey(PayloadLabel)
	if err != nil {
		return Contributed{}, seal.Label{}, err
	}
	s, label, err := seal.Seal(pub, h.Pool, h.Epoch, raw, d.Payload, m.Random)
	if err != nil {
		return Contributed{}, seal.Label{}, err
	}
	digest := seal.BoxDigest(s.Box)
	c := Contributed{Observation: opening.Observation{Header: raw, BoxDigest: digest[:], KEM: s.KEM}, Box: s.Box, Statistics: d.Statistics}
	for _, t := range d.Possessions {
		c.Observation.TagSigs = append(c.Observation.TagSigs, t.Possession.Sign(label[:]))
	}
	return c, label, nil
}

// Sign makes one contribution of sealed observations: the Merkle root over
// their labels and encapsulations under the organisation's signature.
func (m Member) Sign(list []Contributed) (ContributeRequest, error) {
	leaves, err := Leaves(list)
	if err != nil {
		return ContributeRequest{}, err
	}
	root, err := seal.Root(leaves)
	if err != nil {
		return ContributeRequest{}, err
	}
	sig := seal.SignBatch(m.Key, m.Manifest.Pool, m.Manifest.Epoch, m.Sender, root)
	return ContributeRequest{Root: root, Sig: sig, Observations: list}, nil
}

// Contribute sends a contribution and verifies the hub's receipt. Sending the
// same contribution again gives the same receipt and stores nothing twice.
func (m Member) Contribute(ctx context.Context, req ContributeRequest) (signed.Object, Receipt, error) {
	var ans ContributeAnswer
	hub := m.Manifest.Hub
	if err := m.Call(ctx, hub.ID, hub.URL, PathContribute, req, &ans); err != nil {
		return signed.Object{}, Receipt{}, err
	}
	r, err := CheckReceipt(ans.Receipt, hub.Key)
	if err != nil {
		return signed.Object{}, Receipt{}, err
	}
	if r.Pool != m.Manifest.Pool || r.Org != m.Sender || r.Root != req.Root {
		return signed.Object{}, Receipt{}, errors.New("the receipt is for another batch")
	}
	return ans.Receipt, r, nil
}

// CheckReceipt verifies the hub's signature on a receipt.
func CheckReceipt(o signed.Object, hub ed25519.PublicKey) (Receipt, error) {
	var r Receipt
	if err := o.Open(ReceiptDomain, hub, &r); err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}
