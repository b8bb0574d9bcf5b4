package desk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
	"parallax/tlog"
)

// A ReceiptFile holds all that an offline verifier needs to see that a batch
// is in the witnessed log. Its leaves cover header, box and encapsulation of
// every observation and show nothing of them: whoever holds an observation can
// see whether it is what was contributed.
type ReceiptFile struct {
	Setup      client.Setup             `json:"setup"`
	Manifests  []opening.SignedManifest `json:"manifests"`
	Receipt    signed.Object            `json:"receipt"`
	Log        opening.LogProof         `json:"log"`
	Checkpoint []byte                   `json:"checkpoint"`
	Leaves     []seal.Leaf              `json:"leaves"` // in the order of the batch
}

// Receipts asks for the proof behind every receipt, verifies it and saves one
// self-contained file each in dir. Pending ones are counted and left for later.
func (d *Desk) Receipts(ctx context.Context, dir string) (saved []string, pending int, err error) {
	m, j, err := d.member(ctx)
	if err != nil {
		return nil, 0, err
	}
	type kept struct {
		id      []byte
		receipt signed.Object
	}
	var list []kept
	if err := d.receipts(ctx, func(id []byte, o signed.Object) error { list = append(list, kept{id, o}); return nil }); err != nil {
		return nil, 0, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, err
	}
	for _, k := range list {
		path, err := d.receipt(ctx, m, j, k.id, k.receipt, dir)
		if errors.Is(err, errNothingLeft) {
			continue
		}
		if err != nil {
			return saved, pending, err
		}
		if path == "" {
			pending++
			continue
		}
		saved = append(saved, path)
	}
	return saved, pending, nil
}

// errNothingLeft: everything in the contribution ended, and nobody can open its
// log entry any more.
var errNothingLeft = errors.New("what the receipt stands for was deleted")

func (d *Desk) receipt(ctx context.Context, m client.Member, j joined, id []byte, o signed.Object, dir string) (string, error) {
	hub := m.Manifest.Hub
	r, err := client.CheckReceipt(o, hub.Key)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, receiptName(r))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	var proof client.ReceiptProof
	if err := m.Call(ctx, hub.ID, hub.URL, client.PathReceipts, client.ReceiptRequest{Ticket: r.Ticket}, &proof); err != nil {
		return "", refused(err)
	}
	if proof.State == client.ReceiptDeleted {
		return "", errNothingLeft
	}
	if proof.State != client.ReceiptLogged || proof.Log == nil {
		return "", nil
	}
	leaves, err := d.leaves(ctx, id)
	if err != nil {
		return "", err
	}
	f := ReceiptFile{Setup: j.Setup, Manifests: j.Manifests, Receipt: o, Log: *proof.Log, Checkpoint: proof.Checkpoint, Leaves: leaves}
	err = f.verify(m.Manifest, r)
	if err != nil { // holders may have changed since
		if newer, rerr := d.renew(ctx, &j); rerr == nil && newer {
			f.Setup = j.Setup
			if m.Manifest, err = j.manifest(); err == nil {
				err = f.verify(m.Manifest, r)
			}
		}
	}
	if err != nil {
		return "", fmt.Errorf("the hub's proof for a receipt was refused: %w", err)
	}
	raw, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return "", err
	}
	return path, writeNew(path, append(raw, '\n'))
}

// leaves gives the leaves of a contribution that this desk keeps.
func (d *Desk) leaves(ctx context.Context, id []byte) ([]seal.Leaf, error) {
	var req client.ContributeRequest
	err := d.records.list(ctx, func(id, sealed []byte) error {
		return d.records.decode("request", id, sealed, &req)
	}, `SELECT id, request FROM desk_contribution WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	return client.Leaves(req.Observations)
}

func receiptName(r client.Receipt) string {
	return "receipt-" + hex.EncodeToString(r.Root[:8]) + ".json"
}

// verify checks the log proof of a receipt under the manifest's witnesses.
func (f ReceiptFile) verify(m opening.Manifest, r client.Receipt) error {
	cp, _, err := client.VerifyCheckpoint(m, f.Checkpoint)
	if err != nil {
		return err
	}
	if opening.Hash(tlog.Commit(f.Log.Opening.Nonce, f.Log.Opening.Record)) != r.Commitment {
		return errors.New("the log entry is not the one that the receipt promised")
	}
	var rec opening.BatchRecord
	if err := f.Log.Verify(cp, &rec); err != nil {
		return err
	}
	if rec.Type != "batch" || rec.Pool != r.Pool || rec.Org != r.Org || rec.Root != r.Root {
		return errors.New("the log entry is for another batch")
	}
	if root, err := seal.Root(f.Leaves); err != nil || root != r.Root {
		return errors.New("the leaves are not those of the batch")
	}
	return nil
}

// Status is what a desk holds and has done.
type Status struct {
	Profile
	Joined        bool   `json:"joined"`
	Pool          string `json:"pool"`
	Epoch         string `json:"epoch"`
	Manifest      int    `json:"manifest"`
	Generation    int    `json:"generation"`  // of the key shares that answers are verified against
	Admitted      bool   `json:"admitted"`    // in either of the two ways that follow
	Contributes   bool   `json:"contributes"` // as an active member
	Approves      bool   `json:"approves"`
	Contributions int    `json:"contributions"` // with a receipt
	Unsent        int    `json:"unsent"`        // kept, without a receipt yet
	Rows          int    `json:"rows"`
	OpenBatches   int    `json:"open_batches"` // of unfinished submissions
}

// Status reports the desk's own state; it asks nobody.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	s := Status{Profile: d.who.Profile}
	var j joined
	switch err := d.records.setting(ctx, joinedSetting, &j); {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return s, err
	default:
		m, err := j.manifest()
		if err != nil {
			return s, err
		}
		me, ok := m.Member(d.who.ID)
		a, approves := m.Approver(d.who.ID)
		s.Joined, s.Pool, s.Epoch, s.Manifest, s.Generation = true, m.Pool, m.Epoch, m.Version, m.Generation
		s.Contributes = ok && me.Key.Equal(d.who.Public) && me.Status == opening.Active
		s.Approves = approves && a.Key.Equal(d.who.Public)
		s.Admitted = ok && me.Key.Equal(d.who.Public) || s.Approves
	}
	return s, d.records.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		for query, n := range map[string]*int{
			`SELECT COUNT(*) FROM desk_contribution WHERE receipt IS NOT NULL`: &s.Contributions,
			`SELECT COUNT(*) FROM desk_contribution WHERE receipt IS NULL`:     &s.Unsent,
			`SELECT COUNT(*) FROM desk_row`:                                    &s.Rows,
			`SELECT COUNT(*) FROM desk_batch WHERE closed = 0`:                 &s.OpenBatches,
		} {
			if err := tx.QueryRowContext(ctx, query).Scan(n); err != nil {
				return err
			}
		}
		return nil
	})
}

// Own gives this desk's own records of what it submitted under a reference.
func (d *Desk) Own(ctx context.Context, reference string) ([]OwnRecord, error) {
	own, err := d.records.own(ctx, "reference", []byte(reference))
	if err == nil && (len(own) == 0 || reference == "") {
		err = fault.New(fault.NotFound, "This desk has submitted nothing under that reference.")
	}
	return own, err
}

// A Withdrawal is how far a denial has come.
type Withdrawal struct {
	Observations int      `json:"observations"`
	Acks         []string `json:"acks"` // holders that keep the denial
	Need         int      `json:"need"` // n-t+1: fewer holders cannot open any more
	Hub          bool     `json:"hub"`
	Done         bool     `json:"done"`
	Failed       []string `json:"failed"`
}

// Withdraw signs a denial for every observation of a reference and sends it to
// every holder and the hub. It is done only when so many holders keep it that
// the rest cannot open; run it again to reach the others.
func (d *Desk) Withdraw(ctx context.Context, reference, reason string) (Withdrawal, error) {
	den, m, err := d.denial(ctx, reference, reason)
	if err != nil {
		return Withdrawal{}, err
	}
	return d.spread(ctx, m, den, client.PathWithdraw)
}

// spread signs a denial and sends it to every holder and the hub.
func (d *Desk) spread(ctx context.Context, m client.Member, den opening.Denial, path string) (Withdrawal, error) {
	den.Time = d.clock.Now().UnixMicro()
	if _, err := io.ReadFull(d.random, den.Nonce[:]); err != nil {
		return Withdrawal{}, err
	}
	o, err := signed.Sign(opening.DenialDomain, d.who.ID, d.signKey(), den)
	if err != nil {
		return Withdrawal{}, err
	}
	spread := client.Deny(ctx, d.http, m.Manifest, o)
	w := Withdrawal{Observations: len(den.Labels), Acks: spread.Acks, Need: spread.Need, Failed: spread.Failed, Done: spread.Done()}
	var ans client.ContributeAnswer
	hub := m.Manifest.Hub
	if err := m.Call(ctx, hub.ID, hub.URL, path, o, &ans); err != nil {
		w.Failed = append(w.Failed, hub.ID+": "+err.Error())
	} else {
		w.Hub = true
	}
	return w, nil
}

// denial is what a withdrawal would sign, still without time and nonce.
func (d *Desk) denial(ctx context.Context, reference, reason string) (opening.Denial, client.Member, error) {
	m, _, err := d.member(ctx)
	if err != nil {
		return opening.Denial{}, m, err
	}
	own, err := d.Own(ctx, reference)
	if err != nil {
		return opening.Denial{}, m, err
	}
	den := opening.Denial{Kind: opening.DenyWithdraw, Pool: m.Manifest.Pool, Member: d.who.ID, Reason: reason}
	for _, o := range own {
		den.Labels = append(den.Labels, o.Label)
	}
	return den, m, nil
}
