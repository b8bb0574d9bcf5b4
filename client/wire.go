// Package client is the language between the parts of Parallax and the Go
// client for contributors: the messages of the machine interface, and the work
// of a member that any program can do with this library alone: tokenise
// selectors with t of n key holders, seal and sign observations, submit them
// and verify what comes back.
//
// It never sends a selector anywhere: holders see blinded points, the hub sees
// tags and ciphertext.
package client

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"parallax/group"
	"parallax/opening"
	"parallax/oprf"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// Paths of the machine interface.
const (
	PathEvaluate   = "/v1/evaluate"
	PathCosign     = "/v1/cosign"
	PathManifest   = "/v1/manifest"
	PathDeny       = "/v1/deny"
	PathOpen       = "/v1/open"
	PathContribute = "/v1/contributions"
	PathReceipts   = "/v1/receipts"
	PathWithdraw   = "/v1/withdrawals"
	PathCorrect    = "/v1/corrections"     // a member's, of its own observations
	PathCorrectAny = "/v1/corrections/any" // an approver's, by label
	PathLeads      = "/v1/leads"
	PathOpenings   = "/v1/openings"
	PathApprove    = "/v1/openings/approve"
	PathList       = "/v1/openings/list"
	PathWaiting    = "/v1/openings/waiting"
	PathFetch      = "/v1/openings/fetch"
	PathTranscript = "/v1/transcript"
	PathCheckpoint = "/v1/checkpoint"
	PathStatus     = "/v1/status"
	// PathOrganisations takes and gives what governance signed about organisations.
	PathOrganisations = "/v1/organisations"
	// PathSuspend takes at the hub the suspension of an organisation by a governor,
	// or its lifting; key holders take it at PathDeny.
	PathSuspend    = "/v1/organisations/suspend"
	PathCeremony   = "/v1/ceremony/"
	PathReleases   = "/v1/releases"
	PathDeskCosign = "/v1/cosignatures"
	PathReads      = "/v1/reads" // the head of a desk's read log
	// PathLog is the prefix of the log as C2SP tlog-tiles serves it.
	PathLog = "/log/"
)

// Domains of the signed objects that only travel.
const (
	BatchDomain           = "parallax/evaluation-batch/v1"
	EvaluateReceiptDomain = "parallax/evaluation-receipt/v1"
	DenialAckDomain       = "parallax/denial-ack/v1"
	RefusalDomain         = "parallax/cosign-refusal/v1"
	AnchoredDomain        = "parallax/anchored-reads/v1"
	ReceiptDomain         = "parallax/receipt/v1"
)

// PayloadLabel names the TDH2 key among the keys that a ceremony deals.
const PayloadLabel = "payload"

// A Plan is what all holders agree on before a key ceremony. Its digest is in
// the transcript, so governance, hub and holders are fixed with the keys.
type Plan struct {
	Pool       string             `json:"pool"`
	Epoch      string             `json:"epoch"`
	T          int                `json:"t"`
	N          int                `json:"n"`
	Classes    []selector.Class   `json:"classes"`
	Holders    []opening.Holder   `json:"holders"`
	Governance opening.Governance `json:"governance"`
	Hub        opening.Operator   `json:"hub"`
}

// Check refuses a plan that no pool may start from.
func (p Plan) Check() error {
	switch {
	case p.Pool == "" || p.Epoch == "" || len(p.Classes) == 0:
		return errors.New("plan: pool, epoch and classes are needed")
	case p.N != len(p.Holders) || p.T > p.N || 2*p.T <= p.N:
		return fmt.Errorf("plan: %d of %d with %d holders listed; twice the threshold must exceed the holders", p.T, p.N, len(p.Holders))
	case p.Governance.Threshold < 1 || p.Governance.Threshold > len(p.Governance.Governors):
		return errors.New("plan: the governance threshold does not fit the governors")
	case len(p.Hub.Key) != ed25519.PublicKeySize || len(p.Hub.LogKey) != ed25519.PublicKeySize || p.Hub.LogOrigin == "":
		return errors.New("plan: the hub needs a key, a log key and a log origin")
	}
	entities := map[string]bool{p.Hub.Entity: true}
	for i, h := range p.Holders {
		if h.Index != i+1 || entities[h.Entity] {
			return fmt.Errorf("plan: holder %q needs index %d and a controlling entity of its own, not the hub's", h.ID, i+1)
		}
		entities[h.Entity] = true
	}
	return p.checkGovernors()
}

// checkGovernors refuses governors who are not who they should be, and those of
// so few bodies that a halt could be signed and never lifted.
func (p Plan) checkGovernors() error {
	bodies, seen := map[string]bool{}, map[string]bool{}
	for _, g := range p.Governance.Governors {
		switch {
		case g.ID == "" || g.Entity == "" || len(g.Key) != ed25519.PublicKeySize:
			return fmt.Errorf("plan: governor %q needs an id, a controlling entity and a key", g.ID)
		case g.Entity == p.Hub.Entity:
			return fmt.Errorf("plan: governor %q belongs to the hub operator", g.ID)
		case seen["id "+g.ID] || seen["key "+string(g.Key)]:
			return fmt.Errorf("plan: governor %q is there twice, by id or by key", g.ID)
		}
		seen["id "+g.ID], seen["key "+string(g.Key)], bodies[g.Entity] = true, true, true
	}
	if len(bodies) < opening.LiftQuorum {
		return fmt.Errorf("plan: the governors are of %d body: a halt or a suspension is lifted by governors of %d different bodies, so it could never be lifted; add a governor of another body", len(bodies), opening.LiftQuorum)
	}
	return nil
}

// Digest names the plan.
func (p Plan) Digest() (opening.Hash, error) {
	raw, err := signed.Marshal(p)
	if err != nil {
		return opening.Hash{}, err
	}
	return sha256.Sum256(append([]byte("parallax/plan/v1\x00"), raw...)), nil
}

// Params are the parameters of the first attempt at the plan's ceremony.
func (p Plan) Params() (dkg.Params, error) { return p.Attempt(1) }

// Attempt are the parameters of an attempt at the ceremony that the plan
// describes; an aborted one is followed by the next.
func (p Plan) Attempt(n int) (dkg.Params, error) {
	digest, err := p.Digest()
	if err != nil {
		return dkg.Params{}, err
	}
	out := dkg.Params{Pool: p.Pool, Epoch: p.Epoch, T: p.T, N: p.N, Context: digest[:], Attempt: n}
	for _, c := range p.Classes {
		out.Labels = append(out.Labels, string(c))
	}
	out.Labels = append(out.Labels, PayloadLabel)
	for _, h := range p.Holders {
		out.Holders = append(out.Holders, dkg.Holder{Index: h.Index, ID: h.ID, SignKey: h.Key, HPKEKey: h.HPKE})
	}
	return out, nil
}

// Setup is what a desk pins and a hub serves: plan and transcript, and the
// records of every resharing since. The hash of the transcript is pinned; the
// records follow from it.
type Setup struct {
	Plan       Plan           `json:"plan"`
	Transcript dkg.Transcript `json:"transcript"`
	Reshares   []Reshare      `json:"reshares,omitempty"`
}

// CeremonyState is where a board is: the attempt that is open now, and whether
// a transcript has been stored.
type CeremonyState struct {
	Attempt int  `json:"attempt"`
	Done    bool `json:"done"`
}

// CeremonyMessage is one signed message or abort on its way to a board.
type CeremonyMessage struct {
	Message []byte `json:"message"`
}

// CeremonyMessages is a round, message i-1 being holder i's and empty if it is
// not there yet; or the aborts of an attempt.
type CeremonyMessages struct {
	Messages [][]byte `json:"messages"`
}

// CeremonyEvidence shows offline that a holder of the plan showed two faces in
// its ceremony.
type CeremonyEvidence struct {
	Plan         Plan             `json:"plan"`
	Equivocation dkg.Equivocation `json:"equivocation"`
}

// Verify names the holder who signed both messages and the round.
func (e CeremonyEvidence) Verify() (opening.Holder, int, error) {
	if err := e.Plan.Check(); err != nil {
		return opening.Holder{}, 0, err
	}
	if err := e.Plan.matches(e.Equivocation.Params); err != nil {
		return opening.Holder{}, 0, err
	}
	index, round, err := e.Equivocation.Verify()
	if err != nil {
		return opening.Holder{}, 0, err
	}
	return e.Plan.Holders[index-1], round, nil
}

// matches refuses parameters that are not those of an attempt at this plan.
func (p Plan) matches(got dkg.Params) error {
	want, err := p.Attempt(got.Attempt)
	if err != nil {
		return err
	}
	a, err1 := signed.Marshal(want)
	b, err2 := signed.Marshal(got)
	if errors.Join(err1, err2) != nil || string(a) != string(b) {
		return errors.New("it belongs to the ceremony of another plan")
	}
	return nil
}

// A BatchManifest describes a batch of blinded points; the member signs it
// under BatchDomain. Its digest is charged to the member's budget once.
type BatchManifest struct {
	Pool         string       `json:"pool"`
	Epoch        string       `json:"epoch"`
	Organisation string       `json:"organisation"`
	Class        string       `json:"class"`
	Count        int          `json:"count"` // points, dummies included: a power of two
	Root         opening.Hash `json:"root"`  // PointsRoot
	Cases        opening.Hash `json:"cases"` // casesRoot: which case record stands behind which row
	// Transcript is that of the ceremony whose key for the class is asked for.
	Transcript opening.Hash `json:"transcript"`
	LegalBasis string       `json:"legal_basis"`
	Time       int64        `json:"time"`
	Nonce      opening.Hash `json:"nonce"`
}

// PointsRoot is the Merkle root of a batch's blinded points in order: the tree
// of seal.Root, with the leaf SHA-256(domain | point), so that single points can
// be shown to an auditor by their paths.
func PointsRoot(points []group.Point) (opening.Hash, error) {
	root, err := seal.Root(pointLeaves(points))
	return root, err
}

func pointLeaves(points []group.Point) []seal.Leaf {
	leaves := make([]seal.Leaf, len(points))
	for i, p := range points {
		leaves[i] = pointLeaf(p)
	}
	return leaves
}

func pointLeaf(p group.Point) seal.Leaf {
	return sha256.Sum256(append([]byte("parallax/point-leaf/v1\x00"), p[:]...))
}

// EvaluateRequest asks a holder to evaluate a batch. Promise is the hub's
// [QueryPromise] that the batch will be in the log; without it no holder answers.
type EvaluateRequest struct {
	Batch   signed.Object `json:"batch"`
	Promise signed.Object `json:"promise"`
	Points  []group.Point `json:"points"`
	// Generation of the key shares that the desk verifies answers against.
	Generation int `json:"generation,omitempty"`
}

// EvaluateAnswer is a holder's answer with its signed receipt.
type EvaluateAnswer struct {
	Answer  oprf.Answer   `json:"answer"`
	Receipt signed.Object `json:"receipt"`
}

// EvaluateReceipt says what a holder charged and stands for its answer.
type EvaluateReceipt struct {
	Batch     opening.Hash `json:"batch"`
	Answer    opening.Hash `json:"answer"` // AnswerDigest
	Index     int          `json:"index"`
	Charged   int          `json:"charged"`
	Remaining int          `json:"remaining"`
	Day       string       `json:"day"` // UTC date
	// Generation of the share that answered.
	Generation int `json:"generation,omitempty"`
}

// CosignRequest asks a holder to witness a checkpoint.
type CosignRequest struct {
	Note  []byte           `json:"note"`
	Proof tlog.Consistency `json:"proof"`
}

// A CosignRefusal says, under the holder's signature, that a checkpoint of the
// log does not follow from what this holder has cosigned, and where it stands.
// It travels in the Conflict of a [Problem], so that the log turns read-only on
// a fork at once; beside the checkpoint that it refuses it is evidence.
type CosignRefusal struct {
	Checkpoint opening.Hash  `json:"checkpoint"` // Digest of the refused note
	Conflict   tlog.Conflict `json:"conflict"`
}

// OpenRefusal verifies a holder's refusal of exactly this note.
func OpenRefusal(o signed.Object, h opening.Holder, note []byte) (*tlog.Conflict, error) {
	var r CosignRefusal
	if err := o.Open(RefusalDomain, h.Key, &r); err != nil {
		return nil, fmt.Errorf("refusal: %w", err)
	}
	if r.Checkpoint != opening.Digest(note) || r.Conflict.Size < 0 {
		return nil, errors.New("refusal: it is of another checkpoint")
	}
	return &r.Conflict, nil
}

// CosignAnswer is a cosignature line.
type CosignAnswer struct {
	Line []byte `json:"line"`
}

// ReadsHead is where the hash-chained read log of an authority's desk stands:
// its lines, from 1, and the hash of the last. It tells nothing of what was read.
type ReadsHead struct {
	Count int          `json:"count"`
	Head  opening.Hash `json:"head"`
}

// An AnchoredReads is the hub's signed word that a head is in its log's queue.
type AnchoredReads struct {
	By   string `json:"by"`
	Time int64  `json:"time"` // UTC microseconds, of the hub
	ReadsHead
}

// A ReadsRecord is what the log commits to for a head.
type ReadsRecord struct {
	Type string `json:"type"` // "reads-head"
	Pool string `json:"pool"`
	AnchoredReads
	Nonce opening.Hash `json:"nonce"`
}

// A DeskCosignature is a desk witness's line under a witnessed checkpoint. It
// proves itself; who brings it does not matter.
type DeskCosignature struct {
	Size int64  `json:"size"`
	Line []byte `json:"line"`
}

// Manifests is a chain of manifests, oldest first.
type Manifests struct {
	Manifests []opening.SignedManifest `json:"manifests"`
}

// DenialAck is a holder's promise, signed under DenialAckDomain, that it keeps
// a denial.
type DenialAck struct {
	Denial opening.Hash `json:"denial"`
	Holder int          `json:"holder"`
	Time   int64        `json:"time"`
}

// OpenAnswer holds sealed partials signed by the holder.
type OpenAnswer struct {
	Partials []signed.Object `json:"partials"`
}

// Contributed is one observation as the hub takes it.
type Contributed struct {
	Observation opening.Observation `json:"observation"`
	Box         []byte              `json:"box"`
	Statistics  []byte              `json:"statistics"` // canonical JSON, may be empty
}

// Leaves are the batch's leaves, over labels and encapsulations.
func Leaves(list []Contributed) ([]seal.Leaf, error) {
	observations := make([]opening.Observation, len(list))
	for i, c := range list {
		observations[i] = c.Observation
	}
	return opening.Leaves(observations)
}

// ContributeRequest is one batch of observations under one signature.
type ContributeRequest struct {
	Root         opening.Hash  `json:"root"`
	Sig          []byte        `json:"sig"` // seal.SignBatch by the organisation
	Observations []Contributed `json:"observations"`
}

// ContributeAnswer has the same shape whatever the pool holds.
type ContributeAnswer struct {
	Receipt signed.Object `json:"receipt"`
}

// A Receipt is the hub's signed promise that a batch is stored and will be in
// the log. Ticket asks for its proof later.
type Receipt struct {
	Pool       string       `json:"pool"`
	Org        string       `json:"org"`
	Root       opening.Hash `json:"root"`
	Commitment opening.Hash `json:"commitment"`
	Ticket     string       `json:"ticket"`
	Time       int64        `json:"time"`
}

// ReceiptRequest asks for the proof behind a receipt.
type ReceiptRequest struct {
	Ticket string `json:"ticket"`
}

// States of a receipt.
const (
	ReceiptPending = "pending"
	ReceiptLogged  = "logged"
	ReceiptDeleted = "deleted" // everything in the batch ended, and what opens its log entry was destroyed
)

// ReceiptProof shows that a batch is in the witnessed log.
type ReceiptProof struct {
	State      string            `json:"state"`
	Log        *opening.LogProof `json:"log"`
	Checkpoint []byte            `json:"checkpoint"`
}

// Leads lists what is ready; nothing below threshold is ever in it.
type Leads struct {
	Leads []Lead `json:"leads"`
}

// A Lead is an opaque id and the satisfied conditions.
type Lead struct {
	ID         string              `json:"id"`
	Conditions []opening.Condition `json:"conditions"`
	Labels     []seal.Label        `json:"labels"`
	Playbook   string              `json:"playbook"`
	Ready      int64               `json:"ready"`
}

// OpeningRequest puts a signed request before the hub.
type OpeningRequest struct {
	Lead    string        `json:"lead"`
	Request signed.Object `json:"request"`
}

// Waiting says whether any opening of the pool has moved, and nothing of which:
// what a page may ask every few seconds without reading anything.
type Waiting struct {
	Version string `json:"version"` // another one when something has moved
	Any     bool   `json:"any"`     // something is under way
}

// OpeningID names an opening.
type OpeningID struct {
	ID string `json:"id"`
}

// ApproveRequest adds an approval.
type ApproveRequest struct {
	ID       string        `json:"id"`
	Approval signed.Object `json:"approval"`
}

// Openings lists openings for approvers.
type Openings struct {
	Openings []OpeningState `json:"openings"`
}

// OpeningState is one opening's progress.
type OpeningState struct {
	ID        string          `json:"id"`
	Lead      string          `json:"lead"`
	State     string          `json:"state"`
	Request   signed.Object   `json:"request"`
	Approvals []signed.Object `json:"approvals"`
	Holders   []HolderState   `json:"holders"`
	// After the release: the authority's steps; of a break-glass opening until
	// when it must be reviewed, and the review.
	Handling []signed.Object `json:"handling,omitempty"`
	ReviewBy int64           `json:"review_by,omitempty"`
	Review   *signed.Object  `json:"review,omitempty"`
}

// HolderState is what one holder has said of an opening.
type HolderState struct {
	Index  int    `json:"index"`
	State  string `json:"state"` // asked, waiting, refused, released, unreachable
	Reason string `json:"reason"`
}

// Fetched is what the authority gets of a released opening.
type Fetched struct {
	Items []FetchedItem `json:"items"`
}

// FetchedItem is one opened observation, as its organisation signed it, with
// the holders' sealed partials.
type FetchedItem struct {
	opening.Placed
	Box      []byte          `json:"box"`
	Partials []signed.Object `json:"partials"`
}

// Kept answers that a signed act on an organisation is kept, and what holds now.
type Kept struct {
	Suspended bool `json:"suspended"`
}
