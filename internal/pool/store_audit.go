package pool

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
)

// Audit gives the batches behind log tickets for an auditor: what each
// organisation signed, and the observations that are kept, without a box. A
// ticket that is no batch's gives none.
func (s *Service) Audit(ctx context.Context, tickets []string) (out map[string]*client.AuditBatch, err error) {
	out = make(map[string]*client.AuditBatch)
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, ticket := range tickets {
			b, err := s.auditBatch(ctx, tx, ticket)
			if err != nil {
				return err
			}
			if b != nil {
				out[ticket] = b
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) auditBatch(ctx context.Context, tx *store.Tx, ticket string) (*client.AuditBatch, error) {
	var org string
	var root []byte
	b := &client.AuditBatch{Leaves: []seal.Leaf{}, Observations: []opening.Observation{}}
	err := query(ctx, tx, `SELECT org, root, sig, logged FROM pool_batch WHERE ticket = $1`, []any{ticket}, func(rows *sql.Rows) error {
		return rows.Scan(&org, &root, &b.Sig, &b.Logged)
	})
	if err != nil || root == nil {
		return nil, err
	}
	err = query(ctx, tx, `SELECT leaf FROM pool_batch_leaf WHERE org = $1 AND root = $2 ORDER BY place`, []any{org, root}, func(rows *sql.Rows) error {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		if len(raw) != len(seal.Leaf{}) {
			return fmt.Errorf("a batch leaf of %d bytes", len(raw))
		}
		b.Leaves = append(b.Leaves, seal.Leaf(raw))
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.Observations, err = s.auditObservations(ctx, tx, org, root)
	return b, err
}

// auditObservations opens what is kept of a batch's observations. Those whose key
// was destroyed are left out.
func (s *Service) auditObservations(ctx context.Context, tx *store.Tx, org string, root []byte) ([]opening.Observation, error) {
	type row struct {
		label, sealed []byte
		body          string
	}
	var rows []row
	var labels [][]byte
	err := query(ctx, tx, `SELECT label, body, sealed FROM pool_observation WHERE org = $1 AND root = $2 ORDER BY place`, []any{org, root}, func(r *sql.Rows) error {
		var x row
		if err := r.Scan(&x.label, &x.body, &x.sealed); err != nil {
			return err
		}
		rows, labels = append(rows, x), append(labels, x.label)
		return nil
	})
	if err != nil {
		return nil, err
	}
	keys, err := s.records.Keys.Get(ctx, labels)
	if err != nil {
		return nil, err
	}
	out := []opening.Observation{}
	for _, x := range rows {
		p, err := openParts(keys[string(x.label)], parts{body: []byte(x.body)}, x.sealed)
		if errors.Is(err, errForgotten) {
			continue
		}
		var o opening.Observation
		if err == nil {
			err = json.Unmarshal(p.body, &o)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
