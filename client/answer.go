package client

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// A QueryCase is the member's case record behind a row, as the batch manifest
// commits to it before anybody can know which rows an audit picks. The zero value
// says that there is none.
type QueryCase struct {
	Reference string `json:"reference"`
	Date      string `json:"date"` // 2006-01-02, as the record has it
	Kind      string `json:"kind"`
}

// caseSalt hides a row's case from who sees another row's path.
func caseSalt(key []byte, i int) opening.Hash {
	m := hmac.New(sha256.New, key)
	m.Write(binary.BigEndian.AppendUint32(nil, uint32(i)))
	return opening.Hash(m.Sum(nil))
}

func caseLeaf(salt opening.Hash, c QueryCase) (seal.Leaf, error) {
	body := append([]byte("parallax/case-leaf/v1\x00"), salt[:]...)
	if c != (QueryCase{}) {
		raw, err := signed.Marshal(c)
		if err != nil {
			return seal.Leaf{}, err
		}
		body = append(body, raw...)
	}
	return sha256.Sum256(body), nil
}

// caseLeaves are the leaves under BatchManifest.Cases, for all points of the batch.
func (b *Batch) caseLeaves() ([]seal.Leaf, []opening.Hash, error) {
	key, err := hkdf.Key(sha256.New, b.Seed[:], nil, "parallax/case-salt/v1", 32)
	if err != nil {
		return nil, nil, err
	}
	leaves, salts := make([]seal.Leaf, len(b.points)), make([]opening.Hash, len(b.points))
	for i := range leaves {
		salts[i] = caseSalt(key, i)
		if leaves[i], err = caseLeaf(salts[i], b.caseOf(i)); err != nil {
			return nil, nil, err
		}
	}
	return leaves, salts, nil
}

func (b *Batch) caseOf(i int) QueryCase {
	if i < len(b.Cases) {
		return b.Cases[i]
	}
	return QueryCase{}
}

// A QueryAnswer opens the rows that audits picked of a member's batches. It is
// signed by the member and sealed to one query auditor.
type QueryAnswer struct {
	Pool         string        `json:"pool"`
	Epoch        string        `json:"epoch"`
	Organisation string        `json:"organisation"`
	Auditor      string        `json:"auditor"`
	Since        string        `json:"since"`
	Time         int64         `json:"time"`
	Batches      []OpenedBatch `json:"batches"`
}

// An OpenedBatch is one batch: its manifest, what opens its log entry, and rows.
type OpenedBatch struct {
	Manifest signed.Object `json:"manifest"`
	Log      tlog.Opening  `json:"log"`
	Rows     []OpenedRow   `json:"rows"` // ascending
}

// An OpenedRow shows one row: what was asked, and the case behind it. Two paths
// lead from it to the batch manifest.
type OpenedRow struct {
	Input    []byte       `json:"input"`
	Blind    seal.Bytes32 `json:"blind"`
	Path     seal.Path    `json:"path"` // of the point
	Case     QueryCase    `json:"case"`
	Salt     opening.Hash `json:"salt"`
	CasePath seal.Path    `json:"case_path"`
}

// OpenRows opens rows of a prepared batch.
func (b *Batch) OpenRows(rows []int, log tlog.Opening) (OpenedBatch, error) {
	out := OpenedBatch{Manifest: b.request.Batch, Log: log, Rows: []OpenedRow{}}
	leaves, salts, err := b.caseLeaves()
	if err != nil {
		return out, err
	}
	cases, err := seal.NewTree(leaves)
	if err != nil {
		return out, err
	}
	points, err := seal.NewTree(pointLeaves(b.points))
	if err != nil {
		return out, err
	}
	dummies := oprf.DummySeed(b.Seed)
	for _, i := range rows {
		path, err := points.Prove(i)
		if err != nil {
			return out, err
		}
		casePath, err := cases.Prove(i)
		if err != nil {
			return out, err
		}
		out.Rows = append(out.Rows, OpenedRow{Input: b.input(dummies, i), Blind: b.blinds[i].Bytes(), Path: path,
			Case: b.caseOf(i), Salt: salts[i], CasePath: casePath})
	}
	return out, nil
}

// A CheckedRow is a row whose paths, blind and case hold.
type CheckedRow struct {
	Index    int
	Dummy    bool
	Selector selector.Selector // of no dummy
	Case     QueryCase
}

// zones is how far a member's own date may be ahead of UTC.
const zones = 14 * time.Hour

// CheckRow verifies an opened row against the manifest that the member signed: the
// point is this input under this blind, and the case record is the one that was
// committed with the batch, no later than the batch. A dummy needs no case.
func (b BatchManifest) CheckRow(r OpenedRow) (CheckedRow, error) {
	out := CheckedRow{Index: r.Path.Index, Case: r.Case}
	if r.Path.Count != b.Count || r.CasePath.Count != b.Count || r.CasePath.Index != r.Path.Index {
		return out, errors.New("the row's two paths are not of one place in the batch")
	}
	point, err := oprf.Reblind(r.Input, r.Blind)
	if err != nil || r.Path.Verify(pointLeaf(point), b.Root) != nil {
		return out, errors.New("what is shown is not what was asked: input and blind do not give the point in the batch")
	}
	leaf, err := caseLeaf(r.Salt, r.Case)
	if err != nil || r.CasePath.Verify(leaf, b.Cases) != nil {
		return out, errors.New("the case record is not the one that the batch was made with")
	}
	if _, out.Dummy = oprf.IsDummy(r.Input, r.Path.Index); out.Dummy {
		return out, nil
	}
	if out.Selector, err = selector.FromInput(r.Input); err != nil || string(out.Selector.Class) != b.Class {
		return out, errors.New("what was asked is no identifier of the batch's class")
	}
	if strings.TrimSpace(r.Case.Reference) == "" {
		return out, errors.New("no case record stands behind it")
	}
	date, err := time.Parse(time.DateOnly, r.Case.Date)
	if err != nil || date.After(time.UnixMicro(b.Time).Add(zones)) {
		return out, fmt.Errorf("its case record is dated %q, after the batch was made", r.Case.Date)
	}
	return out, nil
}

// A SealedAnswer is a query answer as it travels: only the auditor named opens it.
type SealedAnswer struct {
	Pool         string `json:"pool"`
	Epoch        string `json:"epoch"`
	Organisation string `json:"organisation"`
	Auditor      string `json:"auditor"`
	Sealed       []byte `json:"sealed"` // HPKE of a signed [QueryAnswer]
}

func (s SealedAnswer) info() []byte {
	return []byte(strings.Join([]string{QueryAnswerDomain, s.Pool, s.Epoch, s.Organisation, s.Auditor}, "|"))
}

// SealAnswer signs an answer and seals it to a query auditor.
func (m Member) SealAnswer(a QueryAnswer, to opening.QueryAuditor) ([]byte, error) {
	o, err := signed.Sign(QueryAnswerDomain, m.Sender, m.Key, a)
	if err != nil {
		return nil, err
	}
	raw, err := signed.Marshal(o)
	if err != nil {
		return nil, err
	}
	s := SealedAnswer{Pool: a.Pool, Epoch: a.Epoch, Organisation: a.Organisation, Auditor: to.ID}
	if s.Sealed, err = seal.SealTo(to.HPKE, s.info(), raw); err != nil {
		return nil, err
	}
	return signed.Marshal(s)
}

// ReadSealedAnswer reads a file as it came. Nothing of it is believed yet.
func ReadSealedAnswer(raw []byte) (s SealedAnswer, err error) {
	if err = signed.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("this is no sealed answer to a query audit: %w", err)
	}
	return s, nil
}

// Open decrypts the answer and verifies its member's signature. That it is read
// must be in the log first: [QueryRead].
func (s SealedAnswer) Open(m opening.Manifest, hpke []byte) (QueryAnswer, error) {
	var a QueryAnswer
	member, ok := m.Member(s.Organisation)
	if !ok || s.Pool != m.Pool || s.Epoch != m.Epoch {
		return a, fmt.Errorf("it is of %q, which is no member of this pool and epoch", s.Organisation)
	}
	raw, err := seal.OpenFrom(hpke, s.info(), s.Sealed)
	if err != nil {
		return a, errors.New("it is not sealed to this auditor's key, or was changed on its way")
	}
	return readAnswer(raw, s, member)
}

// readAnswer reads what was sealed. It comes from a member that may be hostile.
func readAnswer(raw []byte, s SealedAnswer, member opening.Member) (a QueryAnswer, err error) {
	var o signed.Object
	if err = signed.Unmarshal(raw, &o); err == nil {
		err = o.Open(QueryAnswerDomain, member.Key, &a)
	}
	if err != nil {
		return a, fmt.Errorf("what is sealed in it is no answer that %s signed: %w", member.ID, err)
	}
	if a.Pool != s.Pool || a.Epoch != s.Epoch || a.Organisation != s.Organisation || a.Auditor != s.Auditor {
		return a, errors.New("what is sealed in it is another answer than it says outside")
	}
	return a, nil
}
