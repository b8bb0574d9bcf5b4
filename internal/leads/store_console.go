package leads

import (
	"context"
	"math"

	"parallax/internal/store"
)

// A place in a list: rows before it in time, and by id among those of one
// moment, come next.
type place struct {
	at int64
	id string
}

// newest is before the first row.
var newest = place{at: math.MaxInt64}

// listReady lists ready leads before a place, newest first.
func listReady(ctx context.Context, tx *store.Tx, before place, limit int) ([]leadRow, error) {
	return store.All(ctx, tx, scanLead, `SELECT id, state, labels, conditions, playbook, ready FROM leads_lead
		WHERE state = 'ready' AND (ready, id) < ($1, $2) ORDER BY ready DESC, id DESC LIMIT $3`, before.at, before.id, limit)
}

// listOpenings lists openings before a place, newest first: those under way or
// those that are over.
func listOpenings(ctx context.Context, tx *store.Tx, over bool, before place, limit int) ([]openingRow, error) {
	return store.All(ctx, tx, scanOpening, `SELECT `+openingColumns+` FROM leads_opening
		WHERE (state IN ('released', 'closed')) = $1 AND (created, id) < ($2, $3) ORDER BY created DESC, id DESC LIMIT $4`, over, before.at, before.id, limit)
}

// openingsOf lists the openings of a lead, newest first.
func openingsOf(ctx context.Context, tx *store.Tx, lead string) ([]openingRow, error) {
	return store.All(ctx, tx, scanOpening, `SELECT `+openingColumns+` FROM leads_opening WHERE lead = $1 ORDER BY created DESC, id DESC LIMIT 20`, lead)
}

// underWay sums up where the unfinished openings stand: how many there are,
// how far they are and when one last changed. Nothing of a lead is in it.
func underWay(ctx context.Context, tx *store.Tx) (count, changed, approvals, released int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(changed), 0), CAST(COALESCE(SUM(LENGTH(approvals)), 0) AS BIGINT)
		FROM leads_opening WHERE state NOT IN ('released', 'closed')`).Scan(&count, &changed, &approvals)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM leads_holder WHERE state = 'released'`).Scan(&released)
	return count, changed, approvals, released, err
}
