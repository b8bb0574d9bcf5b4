package desk

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
)

// Verified is what a saved receipt proves.
type Verified struct {
	Pin      opening.Hash `json:"pin"` // transcript hash that the proof rests on
	Pinned   bool         `json:"pinned"`
	Pool     string       `json:"pool"`
	Org      string       `json:"organisation"`
	Root     opening.Hash `json:"batch_root"`
	Count    int          `json:"observations"` // in the batch
	Promised time.Time    `json:"promised"`
	LogSize  int64        `json:"log_size"`
	Leaf     int64        `json:"leaf"`
}

// VerifyReceipt checks a saved receipt offline, from the ceremony's transcript
// down to the entry in the witnessed log. Everything rests on the transcript
// hash: with a zero pin it is only reported, for the reader to compare.
func VerifyReceipt(path string, pin opening.Hash) (Verified, error) {
	var f ReceiptFile
	raw, err := os.ReadFile(path)
	if err != nil {
		return Verified{}, err
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return Verified{}, fault.Wrap(fault.Invalid, path+" is not a receipt file", err)
	}
	out := Verified{Pin: opening.Hash(f.Setup.Transcript.Hash()), Pinned: pin != opening.Hash{}}
	if !out.Pinned {
		pin = out.Pin
	}
	if err := f.Setup.Verify(pin); err != nil {
		return Verified{}, fmt.Errorf("key ceremony: %w", err)
	}
	m, err := newestManifest(f)
	if err != nil {
		return Verified{}, err
	}
	r, err := client.CheckReceipt(f.Receipt, m.Hub.Key)
	if err != nil {
		return Verified{}, err
	}
	if err := f.verify(m, r); err != nil {
		return Verified{}, err
	}
	out.Pool, out.Org, out.Root, out.Promised = r.Pool, r.Org, r.Root, time.UnixMicro(r.Time).UTC()
	out.Count, out.LogSize, out.Leaf = len(f.Leaves), f.Log.Inclusion.Size, f.Log.Inclusion.Index
	return out, nil
}

// newestManifest verifies the chain of manifests and gives its end. Hub and
// holders must be those of the ceremony.
func newestManifest(f ReceiptFile) (opening.Manifest, error) {
	var m opening.Manifest
	for i, sm := range f.Manifests {
		next, err := sm.Open(f.Setup.Plan.Governance)
		if err != nil {
			return m, err
		}
		if i > 0 && (next.Version != m.Version+1 || next.Previous != opening.Digest(f.Manifests[i-1].Body)) {
			return m, fmt.Errorf("manifest %d does not follow from the one before", next.Version)
		}
		m = next
	}
	plan := f.Setup.Plan
	if m.Version == 0 || m.Transcript != opening.Hash(f.Setup.Transcript.Hash()) || m.Quorum != plan.T || len(m.Holders) != plan.N {
		return m, fmt.Errorf("the manifest does not belong to this key ceremony")
	}
	for i, h := range m.Holders {
		if !h.Witness.Equal(plan.Holders[i].Witness) || h.ID != plan.Holders[i].ID {
			return m, fmt.Errorf("witness %s is not the ceremony's", h.ID)
		}
	}
	if !m.Hub.LogKey.Equal(plan.Hub.LogKey) || m.Hub.LogOrigin != plan.Hub.LogOrigin || !m.Hub.Key.Equal(plan.Hub.Key) {
		return m, fmt.Errorf("the hub's keys are not the ceremony's")
	}
	return m, nil
}
