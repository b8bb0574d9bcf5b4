package opening

import (
	"errors"
	"fmt"
	"time"

	"parallax/group"
	"parallax/seal"
	"parallax/signed"
)

// Domains of the signed objects around an opening.
const (
	RequestDomain  = "parallax/opening-request/v1"
	ApprovalDomain = "parallax/opening-approval/v1"
	PartialDomain  = "parallax/partial/v1"
)

// MaxRequestLife bounds a request's validity.
const MaxRequestLife = 7 * 24 * time.Hour

// A Request asks for a list of observations to be opened. It is signed at the
// desk of an approver of the authority. It names no key of the recipient: that
// comes from the manifest.
type Request struct {
	Pool       string       `json:"pool"`
	Epoch      string       `json:"epoch"`
	Manifest   int          `json:"manifest"`
	Labels     []seal.Label `json:"labels"`
	Purpose    string       `json:"purpose"`
	LegalBasis string       `json:"legal_basis"`
	Recipient  string       `json:"recipient"`
	// Playbook is "standard" or "child-possible"; a lead with a possible
	// victim opens only under the latter.
	Playbook string `json:"playbook"`
	Nonce    Hash   `json:"nonce"`
	Time     int64  `json:"time"`
	Expires  int64  `json:"expires"`
	// Emergency is the ground on which the request breaks the glass, one of
	// EmergencyGrounds; empty for every other request.
	Emergency string `json:"emergency,omitempty"`
	// Reason is the digest of what the requester wrote down at the own desk.
	Reason Hash `json:"reason,omitzero"`
}

// Playbooks.
const (
	PlaybookStandard      = "standard"
	PlaybookChildPossible = "child-possible"
)

// An Approval covers the exact bytes of a request: any edit voids it.
type Approval struct {
	Approver string `json:"approver"`
	Request  Hash   `json:"request"` // Digest of the request's body
	Time     int64  `json:"time"`
	Reason   Hash   `json:"reason,omitzero"` // as in the request
}

// Approved verifies the request and its approvals: one approver from the
// authority and one from an unrelated oversight body, all in the manifest.
// It returns the request and its digest.
func Approved(m Manifest, req signed.Object, approvals []signed.Object, now time.Time) (Request, Hash, error) {
	r, digest, err := OpenRequest(m, req, now)
	if err != nil {
		return Request{}, Hash{}, err
	}
	entities := make(map[string]string) // role -> entity
	for i, a := range approvals {
		who, err := OpenApproval(m, a, digest, now)
		if err != nil {
			return Request{}, Hash{}, fmt.Errorf("approval %d: %w", i+1, err)
		}
		entities[who.Role] = who.Entity
	}
	if entities[RoleAuthority] == "" || entities[RoleOversight] == "" {
		return Request{}, Hash{}, errors.New("the request needs one approval from the authority and one from an oversight body")
	}
	return r, digest, nil
}

// OpenRequest verifies a request by itself.
func OpenRequest(m Manifest, req signed.Object, now time.Time) (Request, Hash, error) {
	var r Request
	who, ok := m.Approver(req.Key)
	if !ok || who.Role != RoleAuthority {
		return Request{}, Hash{}, fmt.Errorf("the request is signed by %q, who is no approver of the authority", req.Key)
	}
	if err := req.Open(RequestDomain, who.Key, &r); err != nil {
		return Request{}, Hash{}, fmt.Errorf("request: %w", err)
	}
	return r, Digest(req.Body), r.check(m, now)
}

func (r Request) check(m Manifest, now time.Time) error {
	at := now.UnixMicro()
	switch {
	case r.Pool != m.Pool || r.Epoch != m.Epoch:
		return errors.New("the request is for another pool or epoch")
	case r.Manifest < 1 || r.Manifest > m.Version:
		return fmt.Errorf("the request names manifest version %d, this verifier knows %d", r.Manifest, m.Version)
	case len(r.Labels) == 0 || len(r.Labels) > 1000:
		return fmt.Errorf("the request lists %d observations, want 1 to 1000", len(r.Labels))
	case r.Recipient != m.Authority.ID:
		return fmt.Errorf("the recipient %q is not the authority of this pool", r.Recipient)
	case r.Expires <= at || r.Expires-r.Time > MaxRequestLife.Microseconds():
		return errors.New("the request has expired or is valid for more than 7 days")
	case r.Time > at+signed.Window.Microseconds():
		return errors.New("the request is dated in the future")
	case r.Playbook != PlaybookStandard && r.Playbook != PlaybookChildPossible:
		return fmt.Errorf("the request names no known playbook: %q", r.Playbook)
	}
	if err := r.checkEmergency(m); err != nil {
		return err
	}
	for _, b := range m.LegalBases {
		if b.ID == r.LegalBasis {
			if b.Purpose != r.Purpose || b.Recipient != r.Recipient || at < b.From || at >= b.To {
				return fmt.Errorf("legal basis %s does not cover this purpose and recipient today", b.ID)
			}
			return nil
		}
	}
	return fmt.Errorf("legal basis %q is not in the manifest", r.LegalBasis)
}

// OpenApproval verifies one approval of the request with this digest.
func OpenApproval(m Manifest, a signed.Object, request Hash, now time.Time) (Approver, error) {
	who, ok := m.Approver(a.Key)
	if !ok {
		return Approver{}, fmt.Errorf("%q is no approver of this pool", a.Key)
	}
	var body Approval
	if err := a.Open(ApprovalDomain, who.Key, &body); err != nil {
		return Approver{}, err
	}
	if body.Approver != a.Key {
		return Approver{}, errors.New("it names another approver than the one who signed it")
	}
	if body.Request != request {
		return Approver{}, errors.New("it approves another request")
	}
	if off := now.UnixMicro() - body.Time; off < -signed.Window.Microseconds() || off > MaxRequestLife.Microseconds() {
		return Approver{}, errors.New("it is dated in the future or more than 7 days ago")
	}
	return who, nil
}

// SealedPartial is a holder's decryption share, sealed by HPKE to the
// recipient. It is signed by the holder under PartialDomain.
type SealedPartial struct {
	Request Hash       `json:"request"`
	Label   seal.Label `json:"label"`
	Index   int        `json:"index"`
	Sealed  []byte     `json:"sealed"` // HPKE of a canonical seal.Partial
	// Generation of the share; partials of two generations do not combine.
	Generation int `json:"generation,omitempty"`
}

// PartialInfo is the HPKE info that binds a sealed partial to its place: the
// request, the observation and its u, and the holder. All parts have a fixed
// length but the index, which comes last.
func PartialInfo(request Hash, label seal.Label, u group.Point, index int) []byte {
	return fmt.Appendf(nil, "%s|%s|%x|%x|%d", PartialDomain, request, label[:], u[:], index)
}
