package auditor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/tlog"
)

// state is what a check leaves for the next one.
type state struct {
	Hub            string           `json:"hub"`
	Pin            opening.Hash     `json:"transcript"`
	Manifest       int              `json:"manifest"`
	ManifestDigest opening.Hash     `json:"manifest_digest"`
	Generation     int              `json:"generation,omitempty"` // of the key shares
	Record         opening.Hash     `json:"record,omitzero"`      // that made it; of generation 0 the transcript
	Head           *tlog.Checkpoint `json:"head"`
	Note           []byte           `json:"note"` // the head with its signatures
	At             int64            `json:"at"`   // UTC microseconds
}

// readState reads the file; a first check has none.
func readState(path, hub string) (*state, error) {
	s := &state{Hub: hub}
	if path == "" {
		return s, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "The state file could not be read: "+err.Error()+".", err)
	}
	var got state
	if err := json.Unmarshal(raw, &got); err != nil || got.Head == nil {
		return nil, fault.Wrap(fault.Invalid, path+" is no state of an earlier check. Name another file with --state; do not delete it before you know what it is.", errors.Join(errors.New("no state"), err))
	}
	if got.Hub != hub {
		return nil, fault.Newf(fault.Invalid, "%s belongs to the hub %s. Name another file with --state.", path, got.Hub)
	}
	return &got, nil
}

func (s *state) known() bool { return s.Head != nil }

// checkManifests refuses a chain that lost or changed what was seen.
func (s *state) checkManifests(list []opening.SignedManifest) error {
	switch {
	case s.Manifest == 0:
		return nil
	case s.Manifest > len(list):
		return fault.Newf(fault.Conflict, "The hub shows %d manifests and had shown %d at the check before.", len(list), s.Manifest)
	case opening.Digest(list[s.Manifest-1].Body) != s.ManifestDigest:
		return fault.Newf(fault.Conflict, "Manifest %d is another than at the check before: governance has signed two of one version.", s.Manifest)
	}
	return nil
}

// checkShares refuses records of the key shares that are older than, or other
// than, what was seen.
func (s *state) checkShares(all []client.Committee) error {
	switch {
	case !s.known() || s.Record == (opening.Hash{}):
		return nil
	case s.Generation >= len(all):
		return fault.Newf(fault.Conflict, "The hub shows generation %d of the key shares and had shown generation %d at the check before: it shows an older record.", len(all)-1, s.Generation)
	case all[s.Generation].Record != s.Record:
		return fault.Newf(fault.Conflict, "Generation %d of the key shares has another record than at the check before: THE KEY SHARES ARE FORKED. Show it to the key holders and governance.", s.Generation)
	}
	return nil
}

// write replaces the file as a whole.
func (s *state) write(path string) error {
	if path == "" {
		return nil
	}
	return replace(path, s)
}

// evidence keeps the earlier and the new checkpoint beside the state, which
// stays as it is.
func (s *state) evidence(path string, now []byte) (string, error) {
	type two struct {
		Hub     string    `json:"hub"`
		Earlier string    `json:"earlier"` // signed notes
		Now     string    `json:"now"`
		Seen    time.Time `json:"seen"` // the earlier one
	}
	file := fmt.Sprintf("%s.fork-%d.json", path, time.UnixMicro(s.At).Unix())
	return file, replace(file, two{s.Hub, string(s.Note), string(now), time.UnixMicro(s.At).UTC()})
}

func replace(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return unwritable(err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".state-*") // mode 0600
	if err != nil {
		return unwritable(err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(raw, '\n'))
	return unwritable(errors.Join(err, tmp.Sync(), tmp.Close(), os.Rename(tmp.Name(), path)))
}

func unwritable(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "What was seen could not be kept for the next check: "+err.Error()+".", err)
}
