package opening

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parallax/tlog"
)

// A DeskWitness is a member's or approver's desk that cosigns checkpoints
// beside the key holders. Its key signs cosignatures and nothing else.
type DeskWitness struct {
	ID     string            `json:"id"` // of the desk
	Entity string            `json:"entity"`
	Key    ed25519.PublicKey `json:"key"`
}

// maxDeskWitnesses keeps a note with every line below what readers accept.
const maxDeskWitnesses = 64

// HolderWitnesses are the witnesses whose quorum every checkpoint needs.
func (m Manifest) HolderWitnesses() []tlog.WitnessKey {
	out := make([]tlog.WitnessKey, len(m.Holders))
	for i, h := range m.Holders {
		out[i] = tlog.WitnessKey{Name: h.ID, Key: h.Witness}
	}
	return out
}

// DeskWitnessKeys are the second set of witnesses.
func (m Manifest) DeskWitnessKeys() []tlog.WitnessKey {
	out := make([]tlog.WitnessKey, len(m.DeskWitnesses))
	for i, w := range m.DeskWitnesses {
		out[i] = tlog.WitnessKey{Name: w.ID, Key: w.Key}
	}
	return out
}

// DeskWitness finds a desk witness by id.
func (m Manifest) DeskWitness(id string) (DeskWitness, bool) {
	for _, w := range m.DeskWitnesses {
		if w.ID == id {
			return w, true
		}
	}
	return DeskWitness{}, false
}

// checkWitnesses: no witness counts twice, and none of the second set belongs
// to a body that the first set or the log itself belongs to.
func (m Manifest) checkWitnesses() error {
	if len(m.DeskWitnesses) > maxDeskWitnesses {
		return fmt.Errorf("manifest: %d desk witnesses, at most %d", len(m.DeskWitnesses), maxDeskWitnesses)
	}
	taken := map[string]bool{m.Hub.LogOrigin: true, m.Hub.Entity: true, string(m.Hub.LogKey): true}
	for _, h := range m.Holders {
		taken[h.ID], taken[h.Entity], taken[string(h.Witness)], taken[string(h.Key)] = true, true, true, true
	}
	for _, x := range m.Members {
		taken[string(x.Key)] = true
	}
	for _, x := range m.Approvers {
		taken[string(x.Key)] = true
	}
	for _, w := range m.DeskWitnesses {
		if w.ID == "" || strings.ContainsAny(w.ID, " +\t\r\n") || w.Entity == "" || len(w.Key) != ed25519.PublicKeySize {
			return fmt.Errorf("manifest: desk witness %q needs an id without spaces or +, an entity and a key of 32 bytes", w.ID)
		}
		for _, x := range []string{w.ID, w.Entity, string(w.Key)} {
			if taken[x] {
				return errors.New("manifest: desk witness " + w.ID + ": its id, entity or key is taken: each body witnesses once, with a key for nothing else")
			}
			taken[x] = true
		}
	}
	return nil
}

// An Auditor may read the pool's structure at the hub: opened log entries and
// headers, never a box. It sees who shares a tag with whom.
type Auditor struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	Key    ed25519.PublicKey `json:"key"`
}

// Auditor finds an auditor by id.
func (m Manifest) Auditor(id string) (Auditor, bool) {
	for _, a := range m.Auditors {
		if a.ID == id {
			return a, true
		}
	}
	return Auditor{}, false
}

// checkAuditors: an auditor belongs to nobody whom it checks, and to no
// contributor, who must not learn what others hold.
func (m Manifest) checkAuditors() error {
	ids, bodies := map[string]bool{}, map[string]string{m.Hub.Entity: "the hub operator", m.Authority.Entity: "the authority"}
	for _, h := range m.Holders {
		bodies[h.Entity] = "a key holder"
	}
	for _, x := range m.Members {
		ids[x.ID], bodies[x.Entity] = true, "a contributor"
	}
	for _, x := range m.Approvers {
		ids[x.ID] = true
	}
	list := slices.Clone(m.Auditors)
	for _, a := range m.QueryAuditors {
		if len(a.HPKE) != 32 {
			return fmt.Errorf("manifest: query auditor %q needs an HPKE key of 32 bytes", a.ID)
		}
		list = append(list, Auditor{a.ID, a.Entity, a.Key})
	}
	for _, a := range list {
		if a.ID == "" || a.Entity == "" || ids[a.ID] || len(a.Key) != ed25519.PublicKeySize {
			return fmt.Errorf("manifest: auditor %q needs an id of its own, an entity and a key of 32 bytes", a.ID)
		}
		if of, taken := bodies[a.Entity]; taken {
			return fmt.Errorf("manifest: auditor %s belongs to %s", a.ID, of)
		}
		ids[a.ID] = true
	}
	return nil
}

// A QueryAuditor opens samples of what members asked the key holders for: it sees
// the sampled selectors and the case references behind them, and nothing of the
// pool. HPKE is the key that members seal their answers to.
type QueryAuditor struct {
	ID     string            `json:"id"`
	Entity string            `json:"entity"`
	Key    ed25519.PublicKey `json:"key"`
	HPKE   []byte            `json:"hpke"` // X25519, 32 bytes
}

// QueryAuditor finds a query auditor by id.
func (m Manifest) QueryAuditor(id string) (QueryAuditor, bool) {
	for _, a := range m.QueryAuditors {
		if a.ID == id {
			return a, true
		}
	}
	return QueryAuditor{}, false
}

// loosensQueryAudit reports a query auditor that was not there, or with other
// keys, or that nobody is left to audit.
func loosensQueryAudit(old, next Manifest) bool {
	for _, a := range next.QueryAuditors {
		was, ok := old.QueryAuditor(a.ID)
		if !ok || was.Entity != a.Entity || !was.Key.Equal(a.Key) || !bytes.Equal(was.HPKE, a.HPKE) {
			return true
		}
	}
	return len(old.QueryAuditors) > 0 && len(next.QueryAuditors) == 0
}

// addsAuditor reports an auditor that was not there, or with another key.
func addsAuditor(old, next Manifest) bool {
	for _, a := range next.Auditors {
		if was, ok := old.Auditor(a.ID); !ok || was.Entity != a.Entity || !was.Key.Equal(a.Key) {
			return true
		}
	}
	return false
}
