package pool

import (
	"context"
	"database/sql"
	"encoding/json"
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
			b, err := auditBatch(ctx, tx, ticket)
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

func auditBatch(ctx context.Context, tx *store.Tx, ticket string) (*client.AuditBatch, error) {
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
	return b, query(ctx, tx, `SELECT body FROM pool_observation WHERE org = $1 AND root = $2 ORDER BY place`, []any{org, root}, func(rows *sql.Rows) error {
		var body string
		var o opening.Observation
		if err := rows.Scan(&body); err != nil {
			return err
		}
		if body == "" { // deleted
			return nil
		}
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			return err
		}
		b.Observations = append(b.Observations, o)
		return nil
	})
}
