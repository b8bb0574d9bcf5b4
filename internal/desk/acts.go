package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// An Act is a decision about statistics as a desk shows it: what it says, in
// full, and how far it is. The desk has read it from the bytes that are signed.
type Act struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	State     string          `json:"state"`
	Reason    string          `json:"reason,omitempty"`
	Proposer  string          `json:"proposer"`
	Proposed  time.Time       `json:"proposed"`
	Approvals []string        `json:"approvals"` // ids of approvers whose signatures hold
	Says      json.RawMessage `json:"says"`
}

// Acts lists acts, newest first.
func (d *Desk) Acts(ctx context.Context) ([]Act, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return nil, err
	}
	var list client.ActList
	if err := d.hub(ctx, m, client.PathActs, struct{}{}, &list); err != nil {
		return nil, err
	}
	out := []Act{}
	for _, x := range list.Acts {
		out = append(out, readAct(m.Manifest, x))
	}
	return out, nil
}

// readAct reads an act from its bytes; the hub's word counts for its state only.
func readAct(m opening.Manifest, x client.ActState) Act {
	out := Act{ID: x.ID, State: x.State, Reason: x.Reason, Approvals: []string{}}
	var a opening.Act
	if err := signed.Unmarshal(x.Act, &a); err != nil {
		out.Reason = "It cannot be read here: " + err.Error()
		return out
	}
	out.Kind, out.Proposer, out.Proposed, out.Says = a.Kind, a.Proposer, time.UnixMicro(a.Time).UTC(), a.Body
	for _, o := range x.Approvals {
		if _, _, err := opening.OpenActApproval(m, o, a, opening.ActDigest(x.Act)); err == nil {
			out.Approvals = append(out.Approvals, o.Key)
		}
	}
	return out
}

// ProposeAct puts an act before the hub. It does nothing until an approver of
// the authority and one of the oversight body have approved it.
func (d *Desk) ProposeAct(ctx context.Context, kind string, body []byte) (Act, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return Act{}, err
	}
	canonical, err := canonicalAct(kind, body)
	if err != nil {
		return Act{}, fault.Wrap(fault.Invalid, "The act cannot be read: "+err.Error()+".", err)
	}
	var st client.ActState
	err = d.hub(ctx, m, client.PathActsPropose, client.ActProposal{Kind: kind, Body: canonical}, &st)
	return readAct(m.Manifest, st), err
}

// canonicalAct reads JSON as a person writes it and gives the one encoding that
// is signed. Unknown fields are refused: they would be lost.
func canonicalAct(kind string, body []byte) ([]byte, error) {
	var v any
	switch kind {
	case opening.ActCapture:
		v = new(opening.CaptureAct)
	case opening.ActAudit:
		v = new(opening.AuditAct)
	case opening.ActRelease:
		v = new(opening.ReleaseAct)
	case opening.ActCounts:
		v = new(opening.CountsAct)
	case opening.ActIntervention:
		v = new(opening.InterventionAct)
	default:
		return nil, fmt.Errorf("there is no act of kind %q", kind)
	}
	if err := strictJSON(body, v); err != nil {
		return nil, err
	}
	return signed.Marshal(v)
}

// ApproveAct reads an act at this desk, refuses what it cannot read whole, and
// signs exactly its bytes. It returns what it signed.
func (d *Desk) ApproveAct(ctx context.Context, id string) (Act, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return Act{}, err
	}
	var list client.ActList
	if err := d.hub(ctx, m, client.PathActs, struct{}{}, &list); err != nil {
		return Act{}, err
	}
	for _, x := range list.Acts {
		if x.ID != id {
			continue
		}
		a, digest, err := opening.OpenAct(m.Manifest, x.Act)
		if err == nil {
			_, err = canonicalAct(a.Kind, a.Body)
		}
		if err != nil {
			return Act{}, fault.Wrap(fault.Forbidden, "The act was refused here: "+err.Error()+".", err)
		}
		o, err := signed.Sign(opening.ActApprovalDomain, d.who.ID, d.signKey(), opening.ActApproval{Approver: d.who.ID, Act: digest, Time: d.clock.Now().UnixMicro()})
		if err != nil {
			return Act{}, err
		}
		var st client.ActState
		err = d.hub(ctx, m, client.PathActsApprove, client.ActApproveRequest{ID: id, Approval: o}, &st)
		return readAct(m.Manifest, st), err
	}
	return Act{}, fault.New(fault.NotFound, "There is no act with that id.")
}

// strictJSON reads one object without fields that v does not have.
func strictJSON(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows its JSON object")
	}
	return nil
}
