package pool

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"parallax/internal/recordkeys"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// parts are what an observation says, as it is stored or opened.
type parts struct{ body, box, statistics []byte }

// errForgotten: the key of an observation is destroyed, or what it said is
// emptied already.
var errForgotten = errors.New("the observation was deleted")

func labelKeys(entries []entry) [][]byte {
	out := make([][]byte, len(entries))
	for i := range entries {
		out[i] = entries[i].label[:]
	}
	return out
}

func sealParts(key []byte, p parts) (out parts, err error) {
	if key == nil {
		return out, errForgotten
	}
	for _, x := range []struct {
		name string
		in   []byte
		to   *[]byte
	}{{"body", p.body, &out.body}, {"box", p.box, &out.box}, {"statistics", p.statistics, &out.statistics}} {
		if len(x.in) == 0 {
			*x.to = []byte{}
			continue
		}
		if *x.to, err = recordkeys.Seal(key, x.name, x.in); err != nil {
			return out, err
		}
	}
	return out, nil
}

// openParts opens what is there of an observation. body is what it was before
// observations were sealed one by one.
func openParts(key []byte, p parts, body []byte) (out parts, err error) {
	switch {
	case len(body) == 0 && len(p.body) == 0:
		return out, errForgotten
	case len(body) == 0:
		return p, nil
	case key == nil:
		return out, errForgotten
	}
	for _, x := range []struct {
		name string
		in   []byte
		to   *[]byte
	}{{"body", body, &out.body}, {"box", p.box, &out.box}, {"statistics", p.statistics, &out.statistics}} {
		if len(x.in) == 0 {
			continue
		}
		if *x.to, err = recordkeys.Open(key, x.name, x.in); err != nil {
			return out, fmt.Errorf("a stored observation does not open: %w", err)
		}
	}
	return out, nil
}

// A DeletionRecord is what the log commits to when observations are forgotten.
type DeletionRecord struct {
	Type  string       `json:"type"` // "deletion"
	What  opening.Hash `json:"what"` // of the labels in order
	Count int          `json:"count"`
	Time  int64        `json:"time"`
}

// scrubbed are the tables that hold something of an observation.
var scrubbed = []string{"pool_observation", "pool_obs_tag", "pool_touched", "pool_contrib", "pool_token_sum", "pool_cluster"}

// forgetPerRound bounds one round of Forget.
const forgetPerRound = 5000

// Forget destroys what is left of observations that ended: their keys, so that
// no backup gives them back, and the nonces of log entries that stood for
// nothing else. First they are on the list of deletions, last is the log's
// leaf; a break anywhere is made up for at the next round.
func (s *Service) Forget(ctx context.Context) error {
	keys, err := s.forgetKeys(ctx)
	if err != nil {
		return err
	}
	nonces, err := s.forgetNonces(ctx)
	if err != nil || !keys && !nonces {
		return err
	}
	return s.db.Scrub(ctx, scrubbed...)
}

func (s *Service) forgetKeys(ctx context.Context) (any bool, err error) {
	var labels [][]byte
	var states map[string][][]byte
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		labels, states, err = toForget(ctx, tx, forgetPerRound)
		return err
	})
	if err != nil || len(labels) == 0 {
		return false, err
	}
	now := s.clock.Now().UnixMicro()
	for state, ids := range states {
		if err := s.records.List.Add(state, now, ids); err != nil {
			return false, err
		}
	}
	if err := s.records.Keys.Destroy(ctx, labels); err != nil {
		return false, err
	}
	h := sha256.New()
	for _, l := range labels {
		h.Write(l)
	}
	raw, err := signed.Marshal(DeletionRecord{Type: "deletion", What: opening.Hash(h.Sum(nil)), Count: len(labels), Time: now})
	if err != nil {
		return false, err
	}
	return true, s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, _, err := s.log.Append(ctx, tx, "deletion", raw); err != nil {
			return err
		}
		return forgotten(ctx, tx, labels, now)
	})
}

// forgetNonces makes sure that nobody can open the log entries of batches of
// which nothing is left.
func (s *Service) forgetNonces(ctx context.Context) (any bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := emptyBatches(ctx, tx, forgetPerRound)
		any = len(list) > 0
		if err != nil {
			return err
		}
		for _, b := range list {
			if err := s.log.Forget(ctx, tx, b.ticket); err != nil {
				return err
			}
			if err := closed(ctx, tx, b); err != nil {
				return err
			}
		}
		return nil
	})
	return any, err
}

// Reapply ends again what the list says was deleted: a restored backup may hold
// it still. It is called before anything is served, writes no log entry (the
// deletion has one), and gives how many observations it ended.
func (s *Service) Reapply(ctx context.Context, epoch string) (n int, err error) {
	now := s.clock.Now()
	err = s.records.List.Each(func(d recordkeys.Deletion) error {
		if d.Why != "withdrawn" && d.Why != "expired" {
			return fmt.Errorf("list of deletions: line %d names %q as why; this program knows withdrawn and expired", d.Number, d.Why)
		}
		var back [][]byte
		for _, id := range d.IDs {
			if len(id) != len(seal.Label{}) {
				return fmt.Errorf("list of deletions: line %d is of another kind of records", d.Number)
			}
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			if back, err = comeBack(ctx, tx, d.IDs); err != nil || len(back) == 0 {
				return err
			}
			if err := end(ctx, tx, back, d.Why, time.UnixMicro(d.Time)); err != nil {
				return err
			}
			return forgotten(ctx, tx, back, now.UnixMicro())
		})
		if err != nil || len(back) == 0 {
			return err
		}
		n += len(back)
		return s.records.Keys.Destroy(ctx, back)
	})
	if err != nil || n == 0 {
		return n, err
	}
	if err := s.Link(ctx, epoch, nil); err != nil { // the index held their tags as well
		return n, err
	}
	return n, s.db.Scrub(ctx, scrubbed...)
}
