package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
	"parallax/tlog"
)

// loadReshares reads the complete generations.
func (s *state) loadReshares(ctx context.Context, tx *store.Tx) (err error) {
	s.reshares, err = store.All(ctx, tx, decoded[client.Reshare], `SELECT body FROM hub_reshare ORDER BY generation`)
	return err
}

// decoded reads the JSON that is a row's only column.
func decoded[T any](row store.Row) (v T, err error) {
	var text string
	err = row.Scan(&text)
	return v, errors.Join(err, json.Unmarshal([]byte(text), &v))
}

// known is plan, transcript and generations as they stand; the caller holds mu.
func (s *state) known() client.Setup {
	out := client.Setup{Plan: s.plan, Reshares: s.reshares}
	if s.transcript != nil {
		out.Transcript = *s.transcript
	}
	return out
}

// refit computes who holds the shares now, and the manifest in force with them;
// the caller holds mu.
func (s *state) refit() error {
	setup := s.known()
	s.held = setup.Committee()
	if s.switched != nil {
		s.switched(s.held)
	}
	if len(s.chain) == 0 {
		return nil
	}
	var err error
	s.fitted, err = setup.Fit(s.manifest)
	return err
}

// committee is who holds the key shares now.
func (s *state) committee() client.Committee {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.held
}

// witnessKeys are the committee's, whose quorum every checkpoint needs.
func witnessKeys(c client.Committee) (out []tlog.WitnessKey) {
	for _, h := range c.Holders {
		out = append(out, tlog.WitnessKey{Name: h.ID, Key: h.Witness})
	}
	return out
}

// logNote writes one step into the log.
type logNote func(context.Context, *store.Tx, ReshareRecord) error

// putOrder opens a run: the first attempt at a generation, or the one after the
// last. The same order again changes nothing.
func (s *state) putOrder(ctx context.Context, o client.ReshareOrder, so client.SignedOrder, note func(context.Context, *store.Tx) error) error {
	raw, err := signed.Marshal(so)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		last, err := lastOrder(ctx, tx, o.Generation)
		switch {
		case err != nil:
			return err
		case last != nil && last.order.Attempt >= o.Attempt:
			if last.Digest() == so.Digest() {
				return nil
			}
			return fault.Newf(fault.Conflict, "Attempt %d at this generation was ordered already; the next one is %d.", last.order.Attempt, last.order.Attempt+1)
		case last == nil && o.Attempt != 1, last != nil && o.Attempt != last.order.Attempt+1:
			return fault.New(fault.Conflict, "The order skips an attempt.")
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO hub_reshare_order (generation, attempt, body) VALUES ($1, $2, $3)`,
			int64(o.Generation), int64(o.Attempt), string(raw)); err != nil {
			return err
		}
		return note(ctx, tx)
	})
}

// orderRow is an order as it was stored.
type orderRow struct {
	client.SignedOrder
	order client.ReshareOrder
}

// lastOrder is the newest order for a generation, nil if there is none.
func lastOrder(ctx context.Context, tx *store.Tx, generation int) (*orderRow, error) {
	var text string
	err := tx.QueryRowContext(ctx, `SELECT body FROM hub_reshare_order WHERE generation = $1 ORDER BY attempt DESC LIMIT 1`, int64(generation)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	var o orderRow
	if err = errors.Join(err, json.Unmarshal([]byte(text), &o.SignedOrder)); err != nil {
		return nil, err
	}
	return &o, signed.Unmarshal(o.Body, &o.order)
}

// openRun reads the run that is open, nil if there is none.
func (s *state) openRun(ctx context.Context, tx *store.Tx, generation int) (*orderRow, *client.ReshareRun, error) {
	o, err := lastOrder(ctx, tx, generation)
	if err != nil || o == nil {
		return nil, nil, err
	}
	run := &client.ReshareRun{Order: o.SignedOrder, Keys: make([][]byte, o.order.N), Deals: make([][]byte, len(o.order.Dealers)), Takes: make([][]byte, o.order.N)}
	for step, out := range map[string][][]byte{client.StepKey: run.Keys, client.StepDeal: run.Deals, client.StepTake: run.Takes} {
		rows, err := tx.QueryContext(ctx, `SELECT place, message FROM hub_reshare_board WHERE generation = $1 AND attempt = $2 AND step = $3`,
			int64(generation), int64(o.order.Attempt), step)
		if err := fill(rows, err, out); err != nil {
			return nil, nil, err
		}
	}
	return o, run, nil
}

// reshareView is all that the board shows.
func (s *state) reshareView(ctx context.Context) (client.ReshareView, error) {
	s.mu.RLock()
	v := client.ReshareView{Reshares: append([]client.Reshare{}, s.reshares...), Destroyed: []signed.Object{}}
	s.mu.RUnlock()
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if _, v.Open, err = s.openRun(ctx, tx, len(v.Reshares)+1); err != nil {
			return err
		}
		list, err := store.All(ctx, tx, decoded[signed.Object], `SELECT statement FROM hub_destroyed ORDER BY generation, place`)
		v.Destroyed = append([]signed.Object{}, list...) // [] in JSON where there is none
		return err
	})
	return v, err
}

// putReshare puts a message of the open run up once. With the last word the run
// is complete: its record is stored and binds in the same transaction.
func (s *state) putReshare(ctx context.Context, order, step string, place int, message []byte, note logNote) error {
	s.mu.Lock() // against a generation that comes in meanwhile
	defer s.mu.Unlock()
	setup := s.known()
	var done *client.Reshare
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		done = nil
		o, run, err := s.openRun(ctx, tx, len(s.reshares)+1)
		if err != nil {
			return err
		}
		if o == nil || o.Digest().String() != order {
			return fault.New(fault.Conflict, "This order is not the one that is open.")
		}
		list, complaint, err := checkPlace(setup, *o, run, step, place, message)
		if err != nil {
			return err
		}
		if had := list[place-1]; len(had) > 0 {
			if string(had) != string(message) {
				return fault.New(fault.Conflict, "Another message is on the board in this place.")
			}
			return nil
		}
		list[place-1] = message
		if _, err := tx.ExecContext(ctx, `INSERT INTO hub_reshare_board (generation, attempt, step, place, message) VALUES ($1, $2, $3, $4, $5)`,
			int64(o.order.Generation), int64(o.order.Attempt), step, int64(place), message); err != nil {
			return err
		}
		ended := ReshareRecord{Type: logReshareEnded, Generation: o.order.Generation, Attempt: o.order.Attempt, What: opening.Digest(message)}
		if complaint != nil {
			ended.By, ended.Reason = o.order.Holders[place-1].ID, complaint.Error()
			return note(ctx, tx, ended)
		}
		if done, err = complete(setup, *o, run); err != nil {
			ended.Reason = err.Error()
			return note(ctx, tx, ended)
		}
		if done == nil {
			return nil
		}
		raw, err := signed.Marshal(done)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO hub_reshare (generation, body) VALUES ($1, $2)`, int64(o.order.Generation), string(raw)); err != nil {
			return err
		}
		return note(ctx, tx, ReshareRecord{Type: logReshared, Generation: o.order.Generation, Attempt: o.order.Attempt, What: done.Record.Hash()})
	})
	if err != nil || done == nil {
		return err
	}
	s.reshares = append(s.reshares, *done)
	return s.refit()
}

// checkPlace verifies a message for its place and gives the list it belongs to.
func checkPlace(setup client.Setup, o orderRow, run *client.ReshareRun, step string, place int, message []byte) ([][]byte, *dkg.ReshareFault, error) {
	list := map[string][][]byte{client.StepKey: run.Keys, client.StepDeal: run.Deals, client.StepTake: run.Takes}[step]
	if place < 1 || place > len(list) {
		return nil, nil, fault.New(fault.NotFound, "A resharing has no such place.")
	}
	_, params, _, ready, err := setup.Params(*run)
	if err != nil {
		return nil, nil, err
	}
	if !ready && step != client.StepKey {
		return nil, nil, fault.New(fault.Conflict, "The new holders have not all given their keys for this run yet.")
	}
	var complaint *dkg.ReshareFault
	switch step {
	case client.StepKey:
		var k signed.Object
		if err = signed.Unmarshal(message, &k); err == nil {
			err = setup.CheckKey(o.order, o.Digest(), place, k)
		}
	case client.StepDeal:
		_, err = client.CheckDeal(params, o.Digest(), place, message)
	case client.StepTake:
		complaint, err = params.CheckWord(place, message)
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Forbidden, "The message was refused: "+err.Error()+".", err)
	}
	return list, complaint, nil
}

// complete makes the record once every place is taken; an error is why the run
// came to nothing.
func complete(setup client.Setup, o orderRow, run *client.ReshareRun) (*client.Reshare, error) {
	for _, list := range [][][]byte{run.Deals, run.Takes} {
		for _, m := range list {
			if len(m) == 0 {
				return nil, nil
			}
		}
	}
	_, params, keys, _, err := setup.Params(*run)
	if err != nil {
		return nil, err
	}
	deals, err := client.Deals(run.Deals)
	if err != nil {
		return nil, err
	}
	record, err := params.Collect(deals)
	if err == nil {
		record, err = record.Finish(run.Takes)
	}
	if err != nil {
		return nil, err
	}
	return &client.Reshare{Order: o.SignedOrder, Keys: keys, Record: record}, nil
}

// putDestroyed keeps a statement once.
func (s *state) putDestroyed(ctx context.Context, generation, index int, o signed.Object, note func(context.Context, *store.Tx) error) error {
	raw, err := signed.Marshal(o)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO hub_destroyed (generation, place, statement) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			int64(generation), int64(index), string(raw))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return note(ctx, tx)
	})
}
