package leads

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

type leadRow struct {
	client.Lead
	State string
}

type openingRow struct {
	ID, Lead         string
	Digest           opening.Hash
	Request          signed.Object
	Items            []seal.Label
	Approvals        []signed.Object
	State            State
	Reason, Ticket   string
	Created, Changed time.Time
}

type holderRow struct {
	Index         int
	State, Reason string
	Partials      []signed.Object
	Generation    int // of the key shares that the partials are made with
}

func (o openingRow) view(holders []holderRow) client.OpeningState {
	v := client.OpeningState{ID: o.ID, Lead: o.Lead, State: string(o.State), Request: o.Request,
		Approvals: o.Approvals, Holders: []client.HolderState{}}
	if v.Approvals == nil {
		v.Approvals = []signed.Object{}
	}
	for _, h := range holders {
		v.Holders = append(v.Holders, client.HolderState{Index: h.Index, State: h.State, Reason: h.Reason})
	}
	return v
}

func text(v any) (string, error) {
	raw, err := signed.Marshal(v)
	return string(raw), err
}

func scanLead(row store.Row) (leadRow, error) {
	var r leadRow
	var labels, conditions string
	if err := row.Scan(&r.ID, &r.State, &labels, &conditions, &r.Playbook, &r.Ready); err != nil {
		return r, err
	}
	return r, errors.Join(json.Unmarshal([]byte(labels), &r.Labels), json.Unmarshal([]byte(conditions), &r.Conditions))
}

func readLeads(ctx context.Context, tx *store.Tx, state string) ([]leadRow, error) {
	return store.All(ctx, tx, scanLead, `SELECT id, state, labels, conditions, playbook, ready FROM leads_lead WHERE state = $1 ORDER BY id`, state)
}

func readLead(ctx context.Context, tx *store.Tx, id string) (leadRow, bool, error) {
	r, err := scanLead(tx.QueryRowContext(ctx, `SELECT id, state, labels, conditions, playbook, ready FROM leads_lead WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

func insertLead(ctx context.Context, tx *store.Tx, l client.Lead) error {
	labels, err := text(l.Labels)
	if err != nil {
		return err
	}
	conditions, err := text(l.Conditions)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leads_lead (id, state, labels, conditions, playbook, ready) VALUES ($1, 'ready', $2, $3, $4, $5)`,
		l.ID, labels, conditions, l.Playbook, l.Ready)
	return err
}

func updateLead(ctx context.Context, tx *store.Tx, l client.Lead) error {
	labels, err := text(l.Labels)
	if err != nil {
		return err
	}
	conditions, err := text(l.Conditions)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE leads_lead SET labels = $1, conditions = $2, playbook = $3 WHERE id = $4 AND state = 'ready'`,
		labels, conditions, l.Playbook, l.ID)
	return err
}

// setLead moves a lead, or refuses if somebody else moved it first.
func setLead(ctx context.Context, tx *store.Tx, id, from, to string) error {
	res, err := tx.ExecContext(ctx, `UPDATE leads_lead SET state = $1 WHERE id = $2 AND state = $3`, to, id, from)
	return changedOne(res, err)
}

func changedOne(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fault.New(fault.Conflict, "Somebody else changed this meanwhile. Load it again.")
	}
	return nil
}

const openingColumns = `id, lead, digest, request, items, approvals, state, reason, ticket, created, changed`

func scanOpening(row store.Row) (openingRow, error) {
	var o openingRow
	var digest []byte
	var request, items, approvals, state string
	var created, changed int64
	if err := row.Scan(&o.ID, &o.Lead, &digest, &request, &items, &approvals, &state, &o.Reason, &o.Ticket, &created, &changed); err != nil {
		return o, err
	}
	o.Digest, o.State = opening.Hash(digest), State(state)
	o.Created, o.Changed = time.UnixMicro(created), time.UnixMicro(changed)
	return o, errors.Join(json.Unmarshal([]byte(request), &o.Request), json.Unmarshal([]byte(items), &o.Items), json.Unmarshal([]byte(approvals), &o.Approvals))
}

func readOpening(ctx context.Context, tx *store.Tx, id string) (openingRow, error) {
	o, err := scanOpening(tx.QueryRowContext(ctx, `SELECT `+openingColumns+` FROM leads_opening WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return o, fault.New(fault.NotFound, "There is no such opening.")
	}
	return o, err
}

// readOpenings gives the openings in one state, or all, oldest first.
func readOpenings(ctx context.Context, tx *store.Tx, state State) ([]openingRow, error) {
	return store.All(ctx, tx, scanOpening, `SELECT `+openingColumns+` FROM leads_opening WHERE state = $1 OR $1 = '' ORDER BY created, id`, string(state))
}

func openingByDigest(ctx context.Context, tx *store.Tx, digest opening.Hash) (id string, ok bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM leads_opening WHERE digest = $1`, digest[:]).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

func insertOpening(ctx context.Context, tx *store.Tx, o openingRow) error {
	request, err := text(o.Request)
	if err != nil {
		return err
	}
	items, err := text(o.Items)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leads_opening (`+openingColumns+`) VALUES ($1, $2, $3, $4, $5, '[]', $6, '', '', $7, $8)`,
		o.ID, o.Lead, o.Digest[:], request, items, string(o.State), o.Created.UnixMicro(), o.Changed.UnixMicro())
	return err
}

// saveOpening writes an opening that was in state from.
func saveOpening(ctx context.Context, tx *store.Tx, o openingRow, from State) error {
	approvals, err := text(o.Approvals)
	if err != nil {
		return err
	}
	return changedOne(tx.ExecContext(ctx, `UPDATE leads_opening SET approvals = $1, state = $2, reason = $3, ticket = $4, changed = $5 WHERE id = $6 AND state = $7`,
		approvals, string(o.State), o.Reason, o.Ticket, o.Changed.UnixMicro(), o.ID, string(from)))
}

func readHolders(ctx context.Context, tx *store.Tx, id string) ([]holderRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT place, state, reason, partials, generation FROM leads_holder WHERE opening = $1 ORDER BY place`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []holderRow
	for rows.Next() {
		var h holderRow
		var partials string
		if err := rows.Scan(&h.Index, &h.State, &h.Reason, &partials, &h.Generation); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(partials), &h.Partials); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// saveHolder keeps a holder's last answer; released partials are overwritten
// only by those of a later generation of the key shares.
func saveHolder(ctx context.Context, tx *store.Tx, id string, h holderRow) error {
	partials, err := text(h.Partials)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leads_holder (opening, place, state, reason, partials, generation) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (opening, place) DO UPDATE SET state = excluded.state, reason = excluded.reason, partials = excluded.partials, generation = excluded.generation
		WHERE leads_holder.state <> 'released' OR (excluded.state = 'released' AND leads_holder.generation < excluded.generation)`, id, int64(h.Index), h.State, h.Reason, partials, int64(h.Generation))
	return err
}
