package desk

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
)

// evidenceDir is where, in the desk's directory, proof of a key holder's wrong
// answer is kept.
const evidenceDir = "evidence"

// An EvidenceFile holds all that an offline verifier needs to see that a key
// holder signed a wrong answer. It names no selector.
type EvidenceFile struct {
	Setup     client.Setup             `json:"setup"`
	Manifests []opening.SignedManifest `json:"manifests"`
	Evidence  *client.Evidence         `json:"evidence"`
}

// keepEvidence saves what proves a wrong answer and gives the constant error.
// Errors of another kind come back as they are.
func (d *Desk) keepEvidence(j joined, err error) error {
	var w *client.WrongAnswer
	if !errors.As(err, &w) {
		return err
	}
	raw, jerr := json.MarshalIndent(EvidenceFile{Setup: j.Setup, Manifests: j.Manifests, Evidence: &w.Evidence}, "", " ")
	if jerr != nil {
		return errors.Join(err, jerr)
	}
	digest := opening.Digest(w.Evidence.Answer.Receipt.Body)
	path := filepath.Join(d.dir, evidenceDir, "wrong-answer-"+hex.EncodeToString(digest[:8])+".json")
	werr := os.MkdirAll(filepath.Dir(path), 0o700)
	if werr == nil {
		werr = writeNew(path, append(raw, '\n'))
	}
	if werr != nil && !errors.Is(werr, os.ErrExist) {
		return fault.Wrap(fault.Conflict, sentence(client.ErrWrongAnswer)+" The evidence could not be kept: "+werr.Error()+".", errors.Join(err, werr))
	}
	return fault.Wrap(fault.Conflict, capital(client.ErrWrongAnswer.Error())+". The evidence is kept in "+path+
		": check it with \"parallax verify\" and give it to the pool's governance.", err)
}

// Accused is what a saved evidence file proves.
type Accused struct {
	Pin    opening.Hash `json:"pin"`
	Pinned bool         `json:"pinned"`
	Pool   string       `json:"pool"`
	Holder string       `json:"holder"`
	Entity string       `json:"entity"`
	Member string       `json:"member"` // who asked
	Class  string       `json:"class"`
	Points int          `json:"points"`
	Asked  time.Time    `json:"asked"`
}

// VerifyEvidence checks offline that a key holder signed a wrong answer, from
// the ceremony's transcript down to the proof that fails. With a zero pin the
// transcript hash is only reported.
func VerifyEvidence(path string, pin opening.Hash) (Accused, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Accused{}, err
	}
	var f EvidenceFile
	if err := json.Unmarshal(raw, &f); err != nil || f.Evidence == nil {
		return Accused{}, fault.Wrap(fault.Invalid, path+" is not an evidence file", errors.Join(errors.New("no evidence"), err))
	}
	out := Accused{Pin: opening.Hash(f.Setup.Transcript.Hash()), Pinned: pin != opening.Hash{}}
	if !out.Pinned {
		pin = out.Pin
	}
	if err := f.Setup.Verify(pin); err != nil {
		return Accused{}, fmt.Errorf("key ceremony: %w", err)
	}
	m, err := f.Setup.Chain(f.Manifests)
	if err != nil {
		return Accused{}, err
	}
	h, b, err := f.Evidence.Verify(f.Setup, m)
	if err != nil {
		return Accused{}, err
	}
	out.Pool, out.Holder, out.Entity, out.Member = b.Pool, h.ID, h.Entity, b.Organisation
	out.Class, out.Points, out.Asked = b.Class, b.Count, time.UnixMicro(b.Time).UTC()
	return out, nil
}

// IsEvidence reports whether a file looks like evidence rather than a receipt.
func IsEvidence(path string) bool {
	raw, err := os.ReadFile(path)
	var f struct {
		Evidence json.RawMessage `json:"evidence"`
	}
	return err == nil && json.Unmarshal(raw, &f) == nil && f.Evidence != nil
}
