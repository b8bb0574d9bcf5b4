package client

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"parallax/group"
	"parallax/opening"
	"parallax/oprf"
)

// ErrWrongAnswer is the one error of a batch that a key holder answered
// wrongly, whoever it was and whatever was wrong.
var ErrWrongAnswer = errors.New("a key holder gave a wrong answer; the batch was stopped and nothing of it was used")

// A WrongAnswer is ErrWrongAnswer with what proves it.
type WrongAnswer struct {
	Holder   string
	Evidence Evidence
}

// Error is the constant sentence.
func (w *WrongAnswer) Error() string { return ErrWrongAnswer.Error() }

// Is makes it ErrWrongAnswer.
func (w *WrongAnswer) Is(target error) bool { return target == ErrWrongAnswer }

// Evidence of a wrong answer: what the member asked, signed by the member, and
// what the holder answered, signed by the holder. It holds blinded points and no
// selector.
type Evidence struct {
	Request EvaluateRequest `json:"request"`
	Answer  EvaluateAnswer  `json:"answer"`
}

// AnswerDigest is SHA-256 over a domain and everything of an answer: a holder's
// receipt covers it, so that an answer cannot be put into a holder's mouth.
func AnswerDigest(a oprf.Answer) opening.Hash {
	h := sha256.New()
	h.Write([]byte("parallax/evaluation-answer/v1\x00"))
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], uint64(a.Index))
	binary.BigEndian.PutUint64(n[8:], uint64(len(a.Evaluated)))
	h.Write(n[:])
	for _, p := range a.Evaluated {
		h.Write(p[:])
	}
	h.Write(a.Proof[:])
	return opening.Hash(h.Sum(nil))
}

// Verify shows that the holder whom the evidence names answered wrongly: both
// signatures hold under the manifest, and the proof does not.
func (e Evidence) Verify(setup Setup, m opening.Manifest) (opening.Holder, BatchManifest, error) {
	var b BatchManifest
	member, ok := m.Member(e.Request.Batch.Key)
	if !ok {
		return opening.Holder{}, b, fmt.Errorf("%q, who asked, is no member of this pool", e.Request.Batch.Key)
	}
	if err := e.Request.Batch.Open(BatchDomain, member.Key, &b); err != nil {
		return opening.Holder{}, b, fmt.Errorf("the question: %w", err)
	}
	root, err := PointsRoot(e.Request.Points)
	if err != nil {
		return opening.Holder{}, b, err
	}
	if b.Pool != m.Pool || b.Epoch != m.Epoch || b.Root != root || b.Count != len(e.Request.Points) {
		return opening.Holder{}, b, errors.New("the question's points are not those that the member signed")
	}
	all, g := setup.Committees(), e.Request.Generation
	if g < 0 || g >= len(all) {
		return opening.Holder{}, b, fmt.Errorf("the question is for generation %d of the key shares, which is not known here", g)
	}
	holder, err := holderOf(all[g].Holders, e.Answer)
	if err != nil {
		return holder, b, err
	}
	if err := checkEvaluateReceipt(e.Answer, holder, e.Request); err != nil {
		return holder, b, fmt.Errorf("the answer of key holder %s: %w", holder.ID, err)
	}
	pub, err := all[g].PublicKey(b.Class)
	if err != nil {
		return holder, b, err
	}
	if wrong(pub, e.Request.Points, e.Answer.Answer) {
		return holder, b, nil
	}
	return holder, b, fmt.Errorf("the answer of key holder %s is right: this is no evidence against it", holder.ID)
}

func wrong(pub group.PublicKey, points []group.Point, a oprf.Answer) bool {
	var w *oprf.WrongAnswer
	return errors.As(oprf.VerifyAnswer(pub, points, a), &w)
}

func holderOf(list []opening.Holder, a EvaluateAnswer) (opening.Holder, error) {
	for _, h := range list {
		if h.Index == a.Answer.Index {
			return h, nil
		}
	}
	return opening.Holder{}, fmt.Errorf("there is no key holder with index %d", a.Answer.Index)
}

// accuse turns the first answer whose proof fails into a *WrongAnswer.
func (m Member) accuse(pub group.PublicKey, req EvaluateRequest, answers []EvaluateAnswer) error {
	for _, a := range answers {
		if !wrong(pub, req.Points, a.Answer) {
			continue
		}
		h, err := holderOf(m.Manifest.Holders, a)
		if err != nil {
			return err
		}
		return &WrongAnswer{Holder: h.ID, Evidence: Evidence{Request: req, Answer: a}}
	}
	return nil
}
