package desk

import (
	"context"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// ExportLife is how long a lead as a file may be kept: as long as an opened lead
// goes without a review. Whoever needs it longer exports it anew.
const ExportLife = 90 * 24 * time.Hour

// States of an exported file. A desk cannot reach the file: that it was destroyed
// is what a person says.
const (
	ExportValid     = "valid"
	ExportOver      = "over"
	ExportDestroyed = "destroyed"
)

// An Exported is what a desk keeps of a lead that left it as a file. Times are
// UTC microseconds.
type Exported struct {
	ID        string `json:"id"`
	Opening   string `json:"opening"`
	Decision  string `json:"decision"`
	Rows      int    `json:"rows"`
	Made      int64  `json:"made"`
	Expires   int64  `json:"expires"`
	Destroyed int64  `json:"destroyed"` // 0: nobody said so
	State     string `json:"state"`     // now
}

func (x Exported) state(now time.Time) string {
	switch {
	case x.Destroyed > 0:
		return ExportDestroyed
	case now.UnixMicro() >= x.Expires:
		return ExportOver
	}
	return ExportValid
}

// Exports lists the files that left this desk, oldest first.
func (d *Desk) Exports(ctx context.Context) (out []Exported, err error) {
	now := d.clock.Now()
	out = []Exported{}
	err = d.records.list(ctx, func(id, sealed []byte) error {
		var x Exported
		err := d.records.decode("export", id, sealed, &x)
		x.State = x.state(now)
		out = append(out, x)
		return err
	}, `SELECT id, sealed FROM desk_export ORDER BY made, id`)
	return out, err
}

// noneOver refuses a further export while an earlier file should be gone.
func (d *Desk) noneOver(ctx context.Context) error {
	list, err := d.Exports(ctx)
	for _, x := range list {
		if x.State == ExportOver {
			return fault.Newf(fault.Conflict, "Nothing was exported: the file of export %s was to be destroyed by %s. Destroy it with its copies, then run \"parallax desk exports --destroyed %s\".",
				x.ID, time.UnixMicro(x.Expires).UTC().Format("2 Jan 2006"), x.ID)
		}
	}
	return err
}

// noteExport keeps what leaves as a file, before it does.
func (d *Desk) noteExport(ctx context.Context, opening, decision string, rows int) (Exported, error) {
	id, err := randomID(d.random)
	if err != nil {
		return Exported{}, err
	}
	now := d.clock.Now()
	x := Exported{ID: id, Opening: opening, Decision: decision, Rows: rows, Made: now.UnixMicro(), Expires: now.Add(ExportLife).UnixMicro()}
	return x, d.keepExport(ctx, x)
}

func (d *Desk) keepExport(ctx context.Context, x Exported) error {
	id := d.records.v.key("export", []byte(x.ID))
	x.State = ""
	sealed, err := d.records.encode("export", id, x)
	if err != nil {
		return err
	}
	return d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO desk_export (id, made, sealed) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed`, id, x.Made, sealed)
		return err
	})
}

// DestroyedExport notes that somebody destroyed an exported file and its copies.
// The first word counts.
func (d *Desk) DestroyedExport(ctx context.Context, id string) (Exported, error) {
	list, err := d.Exports(ctx)
	if err != nil {
		return Exported{}, err
	}
	for _, x := range list {
		if x.ID != id {
			continue
		}
		if x.Destroyed == 0 {
			x.Destroyed = d.clock.Now().UnixMicro()
			err = d.keepExport(ctx, x)
		}
		x.State = ExportDestroyed
		return x, err
	}
	return Exported{}, fault.New(fault.NotFound, "This desk has no such export; \"parallax desk exports\" lists them.")
}
