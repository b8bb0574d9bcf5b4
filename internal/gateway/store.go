package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/store"
)

func text(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}

// texts are values as JSON, in order.
func texts(values ...any) (out []any, err error) {
	for _, v := range values {
		t, err := text(v)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

const requestColumns = `id, organisation, author, edit, body, card, decision, done, state, created, changed`

func scanRequest(row store.Row) (r Request, err error) {
	var body, card, decision, done string
	var created, changed int64
	if err := row.Scan(&r.ID, &r.Organisation, &r.Author, &r.Edit, &body, &card, &decision, &done, &r.State, &created, &changed); err != nil {
		return r, err
	}
	r.Created, r.Changed = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
	return r, errors.Join(json.Unmarshal([]byte(body), &r.Draft), json.Unmarshal([]byte(card), &r.Card),
		json.Unmarshal([]byte(decision), &r.Decision), json.Unmarshal([]byte(done), &r.Done))
}

// readRequest gives a request of an organisation: those of others are not there.
func readRequest(ctx context.Context, tx *store.Tx, organisation, id string) (Request, error) {
	r, err := scanRequest(tx.QueryRowContext(ctx, `SELECT `+requestColumns+` FROM gateway_request WHERE id = $1 AND organisation = $2`, id, organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return r, fault.New(fault.NotFound, "Your organisation has no such request.")
	}
	return r, err
}

func requestsIn(ctx context.Context, tx *store.Tx, state string) ([]Request, error) {
	return store.All(ctx, tx, scanRequest, `SELECT `+requestColumns+` FROM gateway_request WHERE state = $1 ORDER BY created, id`, state)
}

func listRequests(ctx context.Context, tx *store.Tx, organisation string, before time.Time, n int) ([]Request, error) {
	return store.All(ctx, tx, scanRequest, `SELECT `+requestColumns+` FROM gateway_request WHERE organisation = $1 AND created < $2 ORDER BY created DESC, id LIMIT $3`,
		organisation, before.UnixMicro(), n)
}

func insertRequest(ctx context.Context, tx *store.Tx, r Request) error {
	t, err := texts(r.Draft, r.Card, r.Decision, r.Done)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_request (`+requestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ID, r.Organisation, r.Author, r.Edit, t[0], t[1], t[2], t[3], r.State, r.Created.UnixMicro(), r.Changed.UnixMicro())
	return err
}

// updateRequest replaces a request that is as it was read, or refuses.
func updateRequest(ctx context.Context, tx *store.Tx, r, was Request) error {
	t, err := texts(r.Draft, r.Card, r.Decision, r.Done)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE gateway_request SET edit = $1, body = $2, card = $3, decision = $4, done = $5, state = $6, changed = $7
		WHERE id = $8 AND organisation = $9 AND edit = $10 AND state = $11 AND changed = $12`,
		r.Edit, t[0], t[1], t[2], t[3], r.State, r.Changed.UnixMicro(), r.ID, r.Organisation, was.Edit, was.State, was.Changed.UnixMicro())
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

// insertEvent puts an event after those that are there.
func insertEvent(ctx context.Context, tx *store.Tx, request string, e Event) error {
	var place int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM gateway_event WHERE request = $1`, request).Scan(&place); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO gateway_event (request, place, happened, who, what, note) VALUES ($1, $2, $3, $4, $5, $6)`,
		request, place, e.At.UnixMicro(), e.Who, e.What, e.Note)
	return err
}

func readEvents(ctx context.Context, tx *store.Tx, request string) ([]Event, error) {
	return store.All(ctx, tx, func(row store.Row) (e Event, err error) {
		var at int64
		err = row.Scan(&at, &e.Who, &e.What, &e.Note)
		e.At = time.UnixMicro(at).UTC()
		return e, err
	}, `SELECT happened, who, what, note FROM gateway_event WHERE request = $1 ORDER BY place`, request)
}

// Flown is a flow that went.
type Flown struct {
	Kind, Ref, Decision, Who, Recipient string
	Route                               []string
	At                                  time.Time
}

func insertFlow(ctx context.Context, tx *store.Tx, f Flow, r Ruling, digest, ticket string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gateway_flow (kind, ref, decision, route, digest, who, recipient, happened, ticket) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (kind, ref, happened) DO NOTHING`,
		f.Kind, f.Ref, r.Decision, strings.Join(r.Route, ">"), digest, f.By, f.To, at.UnixMicro(), ticket)
	return err
}

func readFlows(ctx context.Context, tx *store.Tx, decision string, n int) ([]Flown, error) {
	return store.All(ctx, tx, func(row store.Row) (f Flown, err error) {
		var route string
		var at int64
		err = row.Scan(&f.Kind, &f.Ref, &f.Decision, &route, &f.Who, &f.Recipient, &at)
		f.Route, f.At = strings.Split(route, ">"), time.UnixMicro(at).UTC()
		return f, err
	}, `SELECT kind, ref, decision, route, who, recipient, happened FROM gateway_flow WHERE decision = $1 ORDER BY happened DESC LIMIT $2`, decision, n)
}

// A Version is law data that was in use here.
type Version struct {
	Digest, Version, Review, EffectiveFrom, EffectiveTo string
	SignedBy                                            []string
	First, Last                                         time.Time
}

// saveLaw keeps the data in use; other is false where it was in use last already.
func saveLaw(ctx context.Context, tx *store.Tx, d law.Deployed, body string, now time.Time) (other bool, err error) {
	signers, err := text(d.SignedBy)
	if err != nil {
		return false, err
	}
	var last string
	err = tx.QueryRowContext(ctx, `SELECT digest FROM gateway_law ORDER BY last_used DESC, digest LIMIT 1`).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `UPDATE gateway_law SET last_used = $1 WHERE digest = $2`, now.UnixMicro(), d.Digest)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return last != d.Digest, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_law (digest, version, review, signers, effective_from, effective_to, body, first_used, last_used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.Digest, d.Set.Meta.DataVersion, d.Set.Meta.Review, signers, d.Statement.EffectiveFrom, d.Statement.EffectiveTo, body, now.UnixMicro(), now.UnixMicro())
	return true, err
}

func readVersions(ctx context.Context, tx *store.Tx) ([]Version, error) {
	return store.All(ctx, tx, func(row store.Row) (v Version, err error) {
		var signers string
		var first, last int64
		if err := row.Scan(&v.Digest, &v.Version, &v.Review, &signers, &v.EffectiveFrom, &v.EffectiveTo, &first, &last); err != nil {
			return v, err
		}
		v.First, v.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
		return v, json.Unmarshal([]byte(signers), &v.SignedBy)
	}, `SELECT digest, version, review, signers, effective_from, effective_to, first_used, last_used FROM gateway_law ORDER BY last_used DESC, digest`)
}

func readLaw(ctx context.Context, tx *store.Tx, digest string) (body string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT body FROM gateway_law WHERE digest = $1`, digest).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.New(fault.NotFound, "No law data of that digest was in use here.")
	}
	return body, err
}
