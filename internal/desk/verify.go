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
	// Commitment is the entry at that place.
	Commitment opening.Hash `json:"commitment"`
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
	m, err := f.Setup.Chain(f.Manifests)
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
	out.Commitment = r.Commitment
	return out, nil
}
