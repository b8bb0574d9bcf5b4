package desk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// receiptsDir is where, in the desk's directory, the page keeps receipts with
// their proofs.
const receiptsDir = "receipts"

// Sent is one contribution: what this desk kept before it sent it, and what
// came back.
type Sent struct {
	ID           string // opaque, of this desk
	Made         time.Time
	Observations int
	Received     time.Time    // by the hub's receipt; zero: not sent yet
	Root         opening.Hash // of the batch, by the receipt
	Proof        string       // path of the saved receipt with its proof; empty: none yet
}

// Sent lists the contributions, the newest first; it asks nobody.
func (d *Desk) Sent(ctx context.Context) ([]Sent, error) {
	var out []Sent
	err := d.records.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT c.id, c.made, c.received, c.receipt, COUNT(r.id) FROM desk_contribution c
			LEFT JOIN desk_row r ON r.contribution = c.id GROUP BY c.id, c.made, c.received, c.receipt ORDER BY c.made DESC, c.id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, receipt []byte
			var made, received int64
			var s Sent
			if err := rows.Scan(&id, &made, &received, &receipt, &s.Observations); err != nil {
				return err
			}
			s.ID, s.Made = hex.EncodeToString(id[:8]), time.UnixMicro(made).UTC()
			if receipt != nil {
				if err := d.readReceipt(slices.Clone(id), receipt, &s); err != nil {
					return err
				}
			}
			out = append(out, s)
		}
		return rows.Err()
	})
	return out, err
}

// readReceipt fills in what the hub promised; its signature was verified when
// it was kept.
func (d *Desk) readReceipt(id, sealed []byte, s *Sent) error {
	var o signed.Object
	if err := d.records.decode("receipt", id, sealed, &o); err != nil {
		return err
	}
	var r client.Receipt
	if err := json.Unmarshal(o.Body, &r); err != nil {
		return err
	}
	s.Received, s.Root = time.UnixMicro(r.Time).UTC(), r.Root
	path := filepath.Join(d.dir, receiptsDir, receiptName(r))
	if _, err := os.Stat(path); err == nil {
		s.Proof = path
	}
	return nil
}

// sentOne finds one contribution.
func (d *Desk) sentOne(ctx context.Context, id string) (Sent, error) {
	list, err := d.Sent(ctx)
	if err != nil {
		return Sent{}, err
	}
	for _, s := range list {
		if s.ID == id {
			return s, nil
		}
	}
	return Sent{}, fault.New(fault.NotFound, "This desk has sent nothing with that id.")
}
