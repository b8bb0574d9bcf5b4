package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// A Quarter counts quarters of years: 4*year + 0..3.
type Quarter int

// QuarterOf is the quarter of a month (1 to 12).
func QuarterOf(year, month int) Quarter { return Quarter(4*year + (month-1)/3) }

func (q Quarter) String() string { return fmt.Sprintf("%d-Q%d", q/4, q%4+1) }

// Limits of what one actor may lose. The zero value is not usable; see
// Recommended.
type Limits struct {
	Quarter Epsilon // in one quarter
	Year    Epsilon // in any four quarters in a row
	Stop    Epsilon // in any eight quarters in a row, whatever else is agreed
	Tables  int     // in one quarter: what one actor may add to
}

// Recommended are the limits of the design: 1 a quarter, 4 a year, hard stop at
// 8 in any 24 months, three tables a quarter.
var Recommended = Limits{Quarter: 1000, Year: 4000, Stop: 8000, Tables: 3}

// Shares of a quarter's budget by table.
const (
	National Epsilon = 500
	BySector Epsilon = 250
	ByHarm   Epsilon = 250
)

// An Entry is one release of one table: the loss by basic composition is the
// sum over all entries, since one actor may be in every table.
type Entry struct {
	Quarter Quarter `json:"quarter"`
	Table   string  `json:"table"`
	Epsilon Epsilon `json:"epsilon"` // thousandths
}

// A Ledger is what was spent, in order. Entries are added and never changed; the
// head binds them all, so that a ledger that was cut or edited shows.
type Ledger struct {
	limits  Limits
	entries []Entry
	head    [sha256.Size]byte
}

// Refusals of a ledger.
var (
	ErrOverdrawn = errors.New("the privacy budget is spent")
	ErrReleased  = errors.New("this table was released for this quarter already; print the values that are stored")
	ErrOrder     = errors.New("a quarter before the last entry is closed")
)

// OpenLedger replays entries against limits and refuses a history that the
// limits would not have let happen.
func OpenLedger(limits Limits, entries []Entry) (*Ledger, error) {
	if limits.Quarter < 1 || limits.Year < limits.Quarter || limits.Stop < limits.Year || limits.Tables < 1 {
		return nil, errors.New("the limits of a quarter, a year and two years must be above zero and not fall, and at least one table is allowed")
	}
	l := &Ledger{limits: limits}
	for i, e := range entries {
		if err := l.Spend(e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return l, nil
}

// Spend adds an entry, or refuses and changes nothing. Spend before the noise is
// drawn: a draw that is then not recorded is lost budget, an unrecorded release
// is lost privacy.
func (l *Ledger) Spend(e Entry) error {
	if err := l.Check(e); err != nil {
		return err
	}
	l.entries = append(l.entries, e)
	h := sha256.New()
	h.Write(l.head[:])
	fmt.Fprintf(h, "%d %d %s", e.Quarter, e.Epsilon, e.Table)
	h.Sum(l.head[:0])
	return nil
}

// Check says whether Spend would accept an entry.
func (l *Ledger) Check(e Entry) error {
	if err := check(e.Epsilon, 1); err != nil {
		return err
	}
	if e.Table == "" || e.Quarter < 4*2000 {
		return errors.New("an entry names its table and a quarter since 2000")
	}
	if n := len(l.entries); n > 0 && e.Quarter < l.entries[n-1].Quarter {
		return fmt.Errorf("%w: %v, the last is %v", ErrOrder, e.Quarter, l.entries[n-1].Quarter)
	}
	tables := 1
	for _, was := range l.entries {
		if was.Quarter == e.Quarter {
			tables++
			if was.Table == e.Table {
				return fmt.Errorf("%w: %s in %v", ErrReleased, e.Table, e.Quarter)
			}
		}
	}
	if tables > l.limits.Tables {
		return fmt.Errorf("%w: %d tables a quarter are allowed", ErrOverdrawn, l.limits.Tables)
	}
	// Entries are in order, so only windows that end here can be overdrawn by it.
	for _, w := range []struct {
		name     string
		quarters Quarter
		limit    Epsilon
	}{{"a quarter", 1, l.limits.Quarter}, {"12 months", 4, l.limits.Year}, {"24 months", 8, l.limits.Stop}} {
		if spent := l.Spent(e.Quarter, w.quarters); spent+e.Epsilon > w.limit {
			return fmt.Errorf("%w: %v of %v in %s is spent by %v, and this would take %v", ErrOverdrawn, spent, w.limit, w.name, e.Quarter, e.Epsilon)
		}
	}
	return nil
}

// Spent is the loss over so many quarters that end with one.
func (l *Ledger) Spent(end, quarters Quarter) (sum Epsilon) {
	for _, e := range l.entries {
		if e.Quarter <= end && e.Quarter > end-quarters {
			sum += e.Epsilon
		}
	}
	return sum
}

// Entries is a copy of what was spent.
func (l *Ledger) Entries() []Entry { return append([]Entry(nil), l.entries...) }

// Head names the whole history in hexadecimal.
func (l *Ledger) Head() string { return hex.EncodeToString(l.head[:]) }
