package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// StatusDomain separates a holder's status from all other signed objects.
const StatusDomain = "parallax/holder-status/v1"

// A HolderStatus is what a key holder tells anyone, under its signature: no
// member, selector or count of openings is in it.
type HolderStatus struct {
	ID       string `json:"id"`
	Index    int    `json:"index"`
	Pool     string `json:"pool"`
	Epoch    string `json:"epoch"`
	Manifest int    `json:"manifest"`
	// LogSize and LogRoot are the head that the holder cosigned last.
	LogSize int64     `json:"log_size"`
	LogRoot tlog.Hash `json:"log_root"`
	Halted  bool      `json:"halted"`
	Time    int64     `json:"time"` // of the answer
	// Generation of the key shares that the holder follows, and the record that
	// made it; generation 0 is the ceremony's and names none.
	Generation int           `json:"generation,omitempty"`
	Record     *opening.Hash `json:"record,omitempty"`
}

// ErrOld: a signed answer is older, or newer, than the asker's clock allows.
var ErrOld = errors.New("the answer's time is outside the allowed window")

// OpenStatus verifies that the holder signed the status, and that it is of now.
// Within the window an old one can be shown again: what it holds only grows.
func OpenStatus(o signed.Object, h opening.Holder, now time.Time) (HolderStatus, error) {
	var st HolderStatus
	if err := o.Open(StatusDomain, h.Key, &st); err != nil {
		return st, fmt.Errorf("status of %s: %w", h.ID, err)
	}
	if st.ID != h.ID || st.Index != h.Index || st.LogSize < 0 {
		return st, fmt.Errorf("status of %s: it is another key holder's", h.ID)
	}
	if off := now.Sub(time.UnixMicro(st.Time)); off > signed.Window || off < -signed.Window {
		return st, fmt.Errorf("status of %s: %w: it differs by %s", h.ID, ErrOld, off.Round(time.Second))
	}
	return st, nil
}

// Status asks a holder where it stands.
func Status(ctx context.Context, c *http.Client, h opening.Holder, now func() time.Time) (HolderStatus, error) {
	var o signed.Object
	if err := Get(ctx, c, h.URL+PathStatus, &o); err != nil {
		return HolderStatus{}, err
	}
	return OpenStatus(o, h, now())
}
