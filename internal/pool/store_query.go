package pool

import (
	"context"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

func readQuery(ctx context.Context, tx *store.Tx, org string, batch opening.Hash) (signed.Object, bool, error) {
	return scanObject(tx.QueryRowContext(ctx, `SELECT promise FROM pool_query WHERE org = $1 AND batch = $2`, org, batch[:]))
}

func insertQuery(ctx context.Context, tx *store.Tx, p client.QueryPromise, promise signed.Object) error {
	raw, err := signed.Marshal(promise)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO pool_query (org, batch, ticket, promise) VALUES ($1, $2, $3, $4)`,
		p.Organisation, p.Batch[:], p.Ticket, string(raw))
	return err
}
