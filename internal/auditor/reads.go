package auditor

import (
	"slices"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/signed"
)

func (a *audit) readsHead(raw []byte) error {
	var rec client.ReadsRecord
	if err := signed.Unmarshal(raw, &rec); err != nil {
		return err
	}
	a.heads[rec.By] = append(a.heads[rec.By], rec.AnchoredReads)
	return nil
}

// reads holds the heads of each desk's read log against each other. The log's
// leaves are in random order within a tick, so the hub's times order them. Lines
// are only ever added: fewer of them, or another end of as many, is a read log
// that was cut, changed or brought back from a backup.
func (a *audit) reads() error {
	heads := 0
	for by, list := range a.heads {
		slices.SortStableFunc(list, func(x, y client.AnchoredReads) int {
			if x.Time != y.Time {
				return int(min(max(x.Time-y.Time, -1), 1))
			}
			return x.Count - y.Count
		})
		for i, h := range list[1:] {
			if was := list[i]; h.Count < was.Count || h.Count == was.Count && h.Head != was.Head {
				return fault.Newf(fault.Conflict, "The read log of %s had %d lines and later %d other ones: it was cut, changed, or brought back from a backup. Ask %s for both.", by, was.Count, h.Count, by)
			}
		}
		a.out.Reads[by] = list[len(list)-1].Count
		heads += len(list)
	}
	if heads > 0 {
		a.c.did("read logs: %d heads of %d desks, each follows in number from the one before", heads, len(a.heads))
	}
	return nil
}
