package transparency

import (
	"context"

	"parallax/internal/fault"
	"parallax/internal/store"
)

// ErrForgotten is the answer for an entry whose opening was destroyed: its leaf
// stays and says nothing any more.
var ErrForgotten = fault.New(fault.NotFound, "What this log entry stood for was deleted, and with it what opens the entry.")

// Forget destroys nonce and record of an entry that is in the tree, in the
// caller's transaction. Without the nonce nobody can show, or find by guessing,
// what the leaf commits to; the tree does not change.
func (l *Log) Forget(ctx context.Context, tx *store.Tx, ticket string) error {
	_, err := tx.ExecContext(ctx, `UPDATE transparency_entry SET nonce = $1, record = $1 WHERE ticket = $2 AND leaf IS NOT NULL`, []byte{}, ticket)
	return err
}
