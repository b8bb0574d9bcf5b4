package desk

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/tlog"
)

// witnessSetting keeps what this desk has cosigned last.
const witnessSetting = "witness"

// witnessed is the newest head that this desk cosigned, with the hub's own
// signature on it: if the log ever leaves it, that note is the evidence.
type witnessed struct {
	State tlog.WitnessState `json:"state"`
	Note  []byte            `json:"note"`
	Sent  bool              `json:"sent"` // the hub has the cosignature
}

// A Cosigned is what one look at the log came to.
type Cosigned struct {
	Size    int64 `json:"size"`
	New     bool  `json:"new"` // more than at the look before
	Holders int   `json:"holders"`
	Desks   int   `json:"desks"` // that had signed before
}

// Witness looks at the hub's newest checkpoint, requires that a quorum of key
// holders signed it and that it follows from all this desk has cosigned, writes
// down where it stands, and only then signs it and sends the signature. What
// does not follow is refused and kept as evidence.
func (d *Desk) Witness(ctx context.Context) (Cosigned, error) {
	m, j, err := d.member(ctx)
	if err != nil {
		return Cosigned{}, err
	}
	key, err := d.keys.witnessKey()
	if err != nil {
		return Cosigned{}, err
	}
	if me, ok := m.Manifest.DeskWitness(d.who.ID); !ok || !me.Key.Equal(key.Public()) {
		return Cosigned{}, fault.New(fault.Forbidden, "The manifest does not list this desk as a witness with this key; ask governance to add the \"witness\" part of its card, then join again.")
	}
	var last witnessed
	if err := d.records.setting(ctx, witnessSetting, &last); err != nil && fault.KindOf(err) != fault.NotFound {
		return Cosigned{}, err
	}
	src := client.LogSource{URL: j.Hub, HTTP: d.http}
	note, err := src.Checkpoint(ctx)
	if err != nil {
		return Cosigned{}, refused(err)
	}
	cp, seen, err := client.VerifyCheckpoint(m.Manifest, note)
	if err != nil { // holders may have changed since
		if newer, rerr := d.renew(ctx, &j); rerr == nil && newer {
			if m.Manifest, err = j.manifest(); err == nil {
				cp, seen, err = client.VerifyCheckpoint(m.Manifest, note)
			}
		}
	}
	if err != nil {
		return Cosigned{}, fault.Wrap(fault.Conflict, "The hub's checkpoint was refused: "+err.Error()+". Nothing was signed.", err)
	}
	next, err := d.consider(ctx, m.Manifest, last, cp, note, src)
	if err != nil {
		return Cosigned{}, err
	}
	out := Cosigned{Size: cp.Size, New: next.State.Size > last.State.Size, Holders: len(seen.Holders), Desks: len(seen.Desks)}
	if !out.New && last.Sent {
		return out, nil
	}
	if err := d.records.keep(ctx, witnessSetting, next); err != nil {
		return out, err
	}
	return out, d.sendCosignature(ctx, j.Hub, cp, next, key)
}

// consider is where this desk will stand if the checkpoint follows from where
// it stands.
func (d *Desk) consider(ctx context.Context, m opening.Manifest, last witnessed, cp tlog.Checkpoint, note []byte, src client.LogSource) (witnessed, error) {
	var proof tlog.Consistency
	err := error(nil)
	if cp.Size >= last.State.Size {
		proof, err = tlog.ProveFromTiles(last.State.Size, cp, src.Tiles(ctx))
	}
	if err != nil {
		return witnessed{}, refused(fmt.Errorf("the log's tiles: %w", err))
	}
	_, state, err := last.State.Consider(note, proof, m.Hub.LogOrigin, m.Hub.LogKey)
	var c *tlog.Conflict
	if errors.As(err, &c) {
		path, werr := d.keepFork(last, note)
		return witnessed{}, fault.Wrap(fault.Conflict, fmt.Sprintf("NOT COSIGNED: the log of %d entries does not follow from the %d that this desk has cosigned. Both checkpoints are in %s: show them to the key holders and governance.",
			cp.Size, last.State.Size, path), errors.Join(err, werr))
	}
	return witnessed{State: state, Note: note}, err
}

// keepFork writes the two checkpoints, both signed by the log, to a file; the
// same two again change nothing.
func (d *Desk) keepFork(last witnessed, note []byte) (string, error) {
	path := filepath.Join(d.dir, fmt.Sprintf("log-fork-%s.json", opening.Digest(append(last.Note, note...)).String()[:16]))
	raw, err := json.MarshalIndent(map[string]string{"earlier": string(last.Note), "now": string(note)}, "", " ")
	if err != nil {
		return path, err
	}
	if err := writeNew(path, append(raw, '\n')); err != nil && !errors.Is(err, fs.ErrExist) {
		return path, err
	}
	return path, nil
}

func (d *Desk) sendCosignature(ctx context.Context, hub string, cp tlog.Checkpoint, next witnessed, key ed25519.PrivateKey) error {
	line := tlog.Cosign(cp, d.who.ID, key, d.clock.Now())
	if err := client.Post(ctx, d.http, hub+client.PathDeskCosign, client.DeskCosignature{Size: cp.Size, Line: line}, nil); err != nil {
		return refused(fmt.Errorf("the cosignature was made and not taken: %w", err))
	}
	next.Sent = true
	return d.records.keep(ctx, witnessSetting, next)
}
