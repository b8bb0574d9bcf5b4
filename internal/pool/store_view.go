package pool

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

// Observed is a live observation, under no freeze, as the list of leads needs it.
type Observed struct {
	Label  seal.Label
	Header opening.Header
	// Logged is when a witnessed checkpoint was first known to cover the
	// observation's batch; zero before.
	Logged time.Time
}

// Stored is an observation with all that shows it was contributed.
type Stored struct {
	opening.Placed
	Label  seal.Label
	Box    []byte
	Ticket string
	Live   bool // neither withdrawn nor expired nor under a freeze
}

func scanPairs(out map[seal.Label]seal.Label) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var l, c []byte
		if err := rows.Scan(&l, &c); err != nil {
			return err
		}
		out[seal.Label(l)] = seal.Label(c)
		return nil
	}
}

// Candidates gives the clusters in which some tag comes from two
// organisations or more, each with its live observations by label.
func (s *Service) Candidates(ctx context.Context) ([][]Observed, error) {
	member := make(map[seal.Label]seal.Label)
	var out [][]Observed
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := query(ctx, tx, `SELECT label, cluster FROM pool_cluster WHERE cluster IN (
			SELECT c.cluster FROM pool_token_sum s JOIN pool_obs_tag t ON t.tag = s.tag AND t.person
			JOIN pool_cluster c ON c.label = t.label WHERE s.orgs >= 2)`, nil, scanPairs(member))
		if err != nil {
			return err
		}
		list, err := s.readObserved(ctx, tx, member)
		if err != nil {
			return err
		}
		groups := make(map[seal.Label]int)
		for _, o := range list {
			at, ok := groups[member[o.Label]]
			if !ok {
				at = len(out)
				groups[member[o.Label]] = at
				out = append(out, nil)
			}
			out[at] = append(out[at], o)
		}
		return nil
	})
	return out, err
}

func (s *Service) readObserved(ctx context.Context, tx *store.Tx, of map[seal.Label]seal.Label) ([]Observed, error) {
	labels := make([][]byte, 0, len(of))
	for l := range of {
		labels = append(labels, append([]byte{}, l[:]...))
	}
	labels = distinct(labels)
	keys, err := s.records.Keys.Get(ctx, labels)
	if err != nil {
		return nil, err
	}
	var out []Observed
	err = queryIn(ctx, tx, `SELECT o.label, o.body, o.sealed, b.logged FROM pool_observation o JOIN pool_batch b ON b.org = o.org AND b.root = o.root
		WHERE o.state = 'live' AND NOT EXISTS (SELECT 1 FROM pool_freeze f WHERE f.label = o.label) AND o.label IN (`, nil, labels, ``, func(rows *sql.Rows) error {
		var l, sealed []byte
		var body string
		var logged int64
		if err := rows.Scan(&l, &body, &sealed, &logged); err != nil {
			return err
		}
		x, err := openParts(keys[string(l)], parts{body: []byte(body)}, sealed)
		if errors.Is(err, errForgotten) {
			return nil
		}
		if err != nil {
			return err
		}
		var ob opening.Observation
		if err := json.Unmarshal(x.body, &ob); err != nil {
			return err
		}
		h, err := opening.DecodeHeader(ob.Header)
		if err != nil {
			return err
		}
		o := Observed{Label: seal.Label(l), Header: h}
		if logged > 0 {
			o.Logged = time.UnixMicro(logged)
		}
		out = append(out, o)
		return nil
	})
	sort.Slice(out, func(i, j int) bool { return string(out[i].Label[:]) < string(out[j].Label[:]) })
	return out, err
}

// Items gives observations with box, batch path and ticket, in the order of
// the labels. An unknown label is a fault.
func (s *Service) Items(ctx context.Context, labels []seal.Label) ([]Stored, error) {
	out := make([]Stored, 0, len(labels))
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, l := range labels {
			x, err := s.readStored(ctx, tx, l)
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

func (s *Service) readStored(ctx context.Context, tx *store.Tx, label seal.Label) (Stored, error) {
	x := Stored{Label: label}
	var org, body, state string
	var root, sealed, box []byte
	var place, frozen int64
	err := tx.QueryRowContext(ctx, `SELECT o.org, o.root, o.place, o.body, o.sealed, o.box, o.state, b.sig, b.ticket,
		(SELECT COUNT(*) FROM pool_freeze f WHERE f.label = o.label) FROM pool_observation o
		JOIN pool_batch b ON b.org = o.org AND b.root = o.root WHERE o.label = $1`, label[:]).
		Scan(&org, &root, &place, &body, &sealed, &box, &state, &x.BatchSig, &x.Ticket, &frozen)
	if errors.Is(err, sql.ErrNoRows) {
		return x, fault.New(fault.NotFound, "An observation is not in this pool.")
	}
	if err != nil {
		return x, err
	}
	keys, err := s.records.Keys.Get(ctx, [][]byte{label[:]})
	if err != nil {
		return x, err
	}
	p, err := openParts(keys[string(label[:])], parts{body: []byte(body), box: box}, sealed)
	if errors.Is(err, errForgotten) {
		return Stored{Label: label, Ticket: x.Ticket}, nil // what is left of it is its label
	}
	if err != nil {
		return x, err
	}
	x.Box = p.box
	if err := json.Unmarshal(p.body, &x.Observation); err != nil {
		return x, err
	}
	x.Root, x.Live = opening.Hash(root), state == "live" && frozen == 0
	var raw [][]byte
	if err := query(ctx, tx, `SELECT leaf FROM pool_batch_leaf WHERE org = $1 AND root = $2 ORDER BY place`, []any{org, root}, collect(&raw)); err != nil {
		return x, err
	}
	leaves := make([]seal.Leaf, len(raw))
	for i, r := range raw {
		leaves[i] = seal.Leaf(r)
	}
	if x.Path, err = seal.Prove(leaves, int(place)); err != nil {
		return x, fmt.Errorf("batch of a stored observation: %w", err)
	}
	return x, nil
}

// Holdings are counts over the whole pool. Only the hub's operator may see
// them: to a contributor they would tell of others.
type Holdings struct {
	Observations int64 `json:"observations"` // live
	Tags         int64 `json:"tags"`         // distinct, of live observations
	SharedTags   int64 `json:"shared_tags"`  // that two organisations or more hold
}

// Count counts what the pool holds.
func (s *Service) Count(ctx context.Context) (h Holdings, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM pool_observation WHERE state = 'live'),
			(SELECT COUNT(*) FROM (SELECT DISTINCT tag FROM pool_obs_tag) t), (SELECT COUNT(*) FROM pool_token_sum WHERE orgs >= 2)`).
			Scan(&h.Observations, &h.Tags, &h.SharedTags)
	})
	return h, err
}
