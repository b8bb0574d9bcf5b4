package baseline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parallax/estimate/release"
	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// CountsDomain is what the hub signs noised counts under.
const CountsDomain = "parallax/baseline-counts/v1"

// A CountsStatement is what is published of a quarter's counts: each cell noised
// once by the exact discrete Laplace, never drawn again.
type CountsStatement struct {
	Pool    string        `json:"pool"`
	Class   string        `json:"class"`
	Quarter string        `json:"quarter"`
	Unit    string        `json:"unit"`
	Tables  []NoisedTable `json:"tables"`
	Spent   string        `json:"spent"`  // of the budget, in this quarter, 12 and 24 months
	Ledger  string        `json:"ledger"` // head: binds all that was ever spent
	Act     opening.Hash  `json:"act"`
	Time    int64         `json:"time"`
}

// A NoisedTable is one table of fixed cells.
type NoisedTable struct {
	Name      string       `json:"name"`
	Epsilon   string       `json:"epsilon"`
	HalfWidth int64        `json:"half_width"` // 95 % of draws are off by no more
	Cells     []NoisedCell `json:"cells"`
}

// A NoisedCell is what is shown of a cell; the draw itself where it is shown.
type NoisedCell struct {
	Name  string `json:"name"`
	Shown string `json:"shown"`
}

// NoisedCounts are published counts with their signature and log ticket.
type NoisedCounts struct {
	Statement CountsStatement `json:"statement"`
	Object    signed.Object   `json:"object"`
	Ticket    string          `json:"ticket"`
	Made      time.Time       `json:"made"`
}

// ledgerQuarter is a quarter as the ledger counts them.
func ledgerQuarter(q opening.Quarter) (release.Quarter, error) {
	from, _, err := q.Span()
	if err != nil {
		return 0, err
	}
	thursday := from.AddDate(0, 0, 3)
	return release.QuarterOf(thursday.Year(), int(thursday.Month())), nil
}

// entries are what a release of a quarter's tables takes from the budget.
func entries(class string, q release.Quarter) []release.Entry {
	return []release.Entry{{Quarter: q, Table: class + "/national", Epsilon: release.National},
		{Quarter: q, Table: class + "/sector", Epsilon: release.BySector}, {Quarter: q, Table: class + "/kind", Epsilon: release.ByHarm}}
}

func (s *Service) checkCounts(ctx context.Context, m opening.Manifest, raw []byte) error {
	var a opening.CountsAct
	if err := signed.Unmarshal(raw, &a); err != nil {
		return invalid(err)
	}
	q, err := ledgerQuarter(a.Quarter)
	if err != nil {
		return invalid(err)
	}
	if _, ok := m.Class(a.Class); !ok {
		return fault.Newf(fault.Invalid, "This pool takes no identifiers of class %s.", a.Class)
	}
	if _, end, err := a.Quarter.Span(); err != nil || end.After(s.clock.Now()) {
		return fault.Newf(fault.Invalid, "%s is not over yet.", a.Quarter)
	}
	return s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		l, err := readLedger(ctx, tx)
		if err != nil {
			return err
		}
		return spend(l, entries(string(a.Class), q))
	})
}

// spend takes all entries from a ledger, or refuses.
func spend(l *release.Ledger, list []release.Entry) error {
	for _, e := range list {
		if err := l.Spend(e); err != nil {
			return fault.Wrap(fault.Conflict, "The counts are not released: "+err.Error()+".", err)
		}
	}
	return nil
}

// counts draws the noise of a quarter's tables, once: budget, values, signature
// and log entry are one transaction.
func (s *Service) counts(ctx context.Context, p acts.Permit, act acts.Act) error {
	c, a, err := s.pool.Counts(ctx, p)
	if err != nil {
		return err
	}
	q, err := ledgerQuarter(a.Quarter)
	if err != nil {
		return invalid(err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if done, err := countsBy(ctx, tx, act.ID); err != nil || done {
			return err
		}
		l, err := readLedger(ctx, tx)
		if err != nil {
			return err
		}
		n, now := len(l.Entries()), s.clock.Now()
		out := NoisedCounts{Made: now, Statement: CountsStatement{Pool: p.Manifest.Pool, Class: string(a.Class), Quarter: string(a.Quarter),
			Unit: "one selector, added or removed; counted once in each table", Act: act.Digest, Time: now.UnixMicro()}}
		for i, cells := range [][]pool.CountCell{c.National, c.Sector, c.Kind} {
			t, err := draw(l, entries(string(a.Class), q)[i], cells)
			if err != nil {
				return err
			}
			out.Statement.Tables = append(out.Statement.Tables, t)
		}
		out.Statement.Spent = fmt.Sprintf("%v of %v in the quarter, %v of %v in 12 months, %v of %v in 24 months", l.Spent(q, 1), release.Recommended.Quarter,
			l.Spent(q, 4), release.Recommended.Year, l.Spent(q, 8), release.Recommended.Stop)
		out.Statement.Ledger = l.Head()
		if out.Object, err = s.sign(CountsDomain, out.Statement); err != nil {
			return err
		}
		if out.Ticket, _, err = s.log.Append(ctx, tx, "counts", out.Object.Body); err != nil {
			return err
		}
		if err := insertLedger(ctx, tx, act.ID, n, l.Entries()[n:]); err != nil {
			return err
		}
		return insertCounts(ctx, tx, act.ID, out)
	})
}

// draw noises one table. A cell that few organisations feed, or one for the most
// part, is withheld; one that comes out small is only called so.
func draw(l *release.Ledger, e release.Entry, cells []pool.CountCell) (t NoisedTable, err error) {
	in := make([]release.Cell, len(cells))
	for i, c := range cells {
		in[i] = release.Cell{Name: c.Name, From: c.From}
	}
	values, err := release.Draw(l, e, in)
	switch {
	case errors.Is(err, release.ErrOverdrawn), errors.Is(err, release.ErrReleased), errors.Is(err, release.ErrOrder):
		return t, fault.Wrap(fault.Conflict, "The counts are not released: "+err.Error()+".", err)
	case err != nil:
		return t, err
	}
	w, _ := release.HalfWidth(e.Epsilon, 1, 0.95)
	t = NoisedTable{Name: e.Table, Epsilon: e.Epsilon.String(), HalfWidth: w}
	for _, v := range values {
		t.Cells = append(t.Cells, NoisedCell{v.Name, v.Show()})
	}
	return t, nil
}

// Noised lists what was published of counts, the newest quarter first.
func (s *Service) Noised(ctx context.Context) (out []NoisedCounts, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listCounts(ctx, tx)
		return err
	})
	return out, err
}
