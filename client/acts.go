package client

import (
	"encoding/json"

	"parallax/signed"
)

// Addresses of acts about statistics, for approvers' desks.
const (
	PathActs        = "/v1/acts"
	PathActsPropose = "/v1/acts/propose"
	PathActsApprove = "/v1/acts/approve"
	// PathBaseline is open to anybody: what was released.
	PathBaseline = "/v1/baseline"
)

// ActProposal asks for an act to be written down. Body is the canonical JSON of
// the kind's own type.
type ActProposal struct {
	Kind string `json:"kind"`
	Body []byte `json:"body"`
}

// ActState is an act and how far it has come. Act are the exact bytes to sign.
type ActState struct {
	ID        string          `json:"id"`
	State     string          `json:"state"`
	Reason    string          `json:"reason"`
	Act       []byte          `json:"act"`
	Approvals []signed.Object `json:"approvals"`
}

// ActList lists acts, newest first.
type ActList struct {
	Acts []ActState `json:"acts"`
}

// ActApproveRequest adds an approval.
type ActApproveRequest struct {
	ID       string        `json:"id"`
	Approval signed.Object `json:"approval"`
}

// Releases are what a hub has published of its baselines, newest first: signed
// by the hub, with the ticket of their log entry.
type Releases struct {
	Releases []ReleasedBaseline `json:"releases"`
}

// ReleasedBaseline is one release. Statement is the signed body, readable.
type ReleasedBaseline struct {
	Statement json.RawMessage `json:"statement"`
	Signed    signed.Object   `json:"signed"`
	Ticket    string          `json:"ticket"`
}
