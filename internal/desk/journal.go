package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/oprf"
	"parallax/selector"
	"parallax/signed"
)

// openBatches reads the evaluation batches of an unfinished submission.
func (d *Desk) openBatches(ctx context.Context, input []byte) ([]planBatch, error) {
	var out []planBatch
	err := d.records.list(ctx, func(id, sealed []byte) error {
		var b planBatch
		err := d.records.decode("batch", id, sealed, &b)
		out = append(out, b)
		return err
	}, `SELECT id, sealed FROM desk_batch WHERE input = $1 AND closed = 0 ORDER BY id`, input)
	return out, err
}

// planBatches fixes seed and time of the new batches on disk before any point
// leaves the desk.
func (d *Desk) planBatches(ctx context.Context, m client.Member, p *Plan, basis string) error {
	classes := make([]selector.Class, 0, len(p.inputs))
	for class := range p.inputs {
		classes = append(classes, class)
	}
	sort.Slice(classes, func(i, j int) bool { return classes[i] < classes[j] })
	var fresh []planBatch
	for _, class := range classes {
		for part := range slices.Chunk(p.inputs[class], maxEvaluate) {
			b := planBatch{Class: class, Time: d.clock.Now().UnixMicro(), Basis: basis, Inputs: part}
			for _, in := range part {
				b.Cases = append(b.Cases, p.cases[string(in)])
			}
			if _, err := io.ReadFull(d.random, b.Seed[:]); err != nil {
				return err
			}
			prepared := b.batch()
			if err := m.Prepare(prepared); err != nil {
				return err
			}
			b.Digest, b.prepared = prepared.Digest(), prepared
			fresh = append(fresh, b)
		}
	}
	p.batches = append(p.batches, fresh...)
	return d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, b := range fresh {
			id := d.records.v.key("batch", b.Seed[:])
			sealed, err := d.records.encode("batch", id, b)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO desk_batch (id, input, sealed) VALUES ($1, $2, $3)`, id, p.input, sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// closeBatches marks the batches of a finished submission as done. What opens
// them stays for a query audit.
func (d *Desk) closeBatches(ctx context.Context, input []byte) error {
	err := d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE desk_batch SET closed = $1 WHERE input = $2 AND closed = 0`, d.clock.Now().UnixMicro(), input)
		return err
	})
	return errors.Join(err, d.forgetBatches(ctx))
}

// tokenise evaluates every batch; possession keys are by input.
func (d *Desk) tokenise(ctx context.Context, m client.Member, batches []planBatch, progress Progress) (map[string]oprf.Possession, error) {
	tokens := make(map[string]oprf.Possession)
	all, done := 0, 0
	for _, b := range batches {
		all += len(b.Inputs)
	}
	for _, pb := range batches {
		b := pb.prepared
		if b == nil {
			b = pb.batch()
			if err := m.Prepare(b); err != nil {
				return nil, err
			}
		}
		keys, err := m.Tokenise(ctx, b)
		if err != nil {
			return nil, err
		}
		for i, in := range pb.Inputs {
			tokens[string(in)] = keys[i]
		}
		done += len(pb.Inputs)
		progress("selectors", done, all)
	}
	return tokens, nil
}

// tokeniseAnew goes on after a resharing: it fetches and checks the record, then
// asks for the same batches, which holders have charged already.
func (d *Desk) tokeniseAnew(ctx context.Context, j joined, batches []planBatch, progress Progress) (client.Member, joined, map[string]oprf.Possession, error) {
	if _, err := d.renew(ctx, &j); err != nil {
		return client.Member{}, j, nil, err
	}
	m, j, err := d.contributor(ctx)
	if err != nil {
		return m, j, nil, err
	}
	tokens, err := d.tokenise(ctx, m, batches, progress)
	return m, j, tokens, err
}

// SendKept sends what was kept before a break and has no receipt yet; it needs
// no file.
func (d *Desk) SendKept(ctx context.Context) (int, error) {
	if _, err := d.MaySubmit(ctx); err != nil {
		return 0, err
	}
	m, _, err := d.contributor(ctx)
	if err != nil {
		return 0, err
	}
	return d.sendKept(ctx, m)
}

// sendKept sends every contribution that has no receipt yet: the same bytes,
// for which the hub gives the same receipt.
func (d *Desk) sendKept(ctx context.Context, m client.Member) (int, error) {
	type kept struct {
		id  []byte
		req client.ContributeRequest
	}
	var todo []kept
	err := d.records.list(ctx, func(id, sealed []byte) error {
		k := kept{id: slices.Clone(id)}
		err := d.records.decode("request", id, sealed, &k.req)
		todo = append(todo, k)
		return err
	}, `SELECT id, request FROM desk_contribution WHERE receipt IS NULL ORDER BY made, id`)
	if err != nil {
		return 0, err
	}
	for i, k := range todo {
		if err := d.send(ctx, m, k.id, k.req); err != nil {
			return i, err
		}
	}
	return len(todo), nil
}

// send contributes and keeps the verified receipt.
func (d *Desk) send(ctx context.Context, m client.Member, id []byte, req client.ContributeRequest) error {
	receipt, r, err := m.Contribute(ctx, req)
	var p *client.Problem
	if errors.As(err, &p) && (p.Status == 400 || p.Status == 422) {
		// All or nothing at the hub: nothing of it is there, so its rows are
		// free to be corrected and submitted again.
		return errors.Join(lineErrors(p), d.forget(ctx, id, req))
	}
	if err != nil {
		return refused(err)
	}
	sealed, err := d.records.encode("receipt", id, receipt)
	if err != nil {
		return err
	}
	return d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE desk_contribution SET receipt = $1, received = $2 WHERE id = $3`, sealed, r.Time, id)
		return err
	})
}

// lineErrors gives the hub's refusal with the observations that it names.
func lineErrors(p *client.Problem) error {
	text := "The hub refused a contribution and kept nothing of it: " + p.Detail
	for i, l := range p.Lines {
		if i == 10 {
			text += fmt.Sprintf(" ... and %d more", len(p.Lines)-i)
			break
		}
		text += fmt.Sprintf(" [observation %d: %s]", l.Line, l.Detail)
	}
	return fault.Wrap(fault.Invalid, text, p)
}

// forget takes a refused contribution out of the journal.
func (d *Desk) forget(ctx context.Context, id []byte, req client.ContributeRequest) error {
	return d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, c := range req.Observations {
			label, err := c.Observation.Label()
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM desk_record WHERE label = $1`, d.records.v.key("label", label[:])); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM desk_row WHERE contribution = $1`, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM desk_contribution WHERE id = $1`, id)
		return err
	})
}

// receipts lists the contributions' ids with their signed receipts.
func (d *Desk) receipts(ctx context.Context, do func(id []byte, o signed.Object) error) error {
	return d.records.list(ctx, func(id, sealed []byte) error {
		var o signed.Object
		if err := d.records.decode("receipt", id, sealed, &o); err != nil {
			return err
		}
		return do(slices.Clone(id), o)
	}, `SELECT id, receipt FROM desk_contribution WHERE receipt IS NOT NULL ORDER BY made, id`)
}
