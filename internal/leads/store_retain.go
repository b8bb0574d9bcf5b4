package leads

import (
	"context"
	"errors"

	"parallax/internal/store"
)

func bare(ctx context.Context, tx *store.Tx, id string) error {
	var failed error
	for _, q := range []string{
		`UPDATE leads_holder SET partials = '[]' WHERE opening = $1`,
		`UPDATE leads_opening SET items = '[]', approvals = '[]' WHERE id = $1`,
		`UPDATE leads_lead SET labels = '[]', conditions = '[]' WHERE id = (SELECT lead FROM leads_opening WHERE id = $1)`,
	} {
		_, err := tx.ExecContext(ctx, q, id)
		failed = errors.Join(failed, err)
	}
	return failed
}
