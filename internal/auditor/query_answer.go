package auditor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// files reads what the answers say outside, before anybody is asked anything.
func (q *queryAudit) files(context.Context) error {
	for _, f := range q.o.Answers {
		s, err := client.ReadSealedAnswer(f.Raw)
		if err != nil {
			return fault.Wrap(fault.Invalid, f.Name+" cannot be read: "+err.Error()+".", err)
		}
		if s.Auditor != q.o.Auditor.Sender {
			return fault.Newf(fault.Invalid, "%s is for the auditor %q.", f.Name, s.Auditor)
		}
		q.sealed = append(q.sealed, s)
	}
	return nil
}

// read opens every answer, once the hub's log holds that it is read.
func (q *queryAudit) read(ctx context.Context) error {
	for i, f := range q.o.Answers {
		s := q.sealed[i]
		if err := q.note(ctx, f); err != nil {
			return err
		}
		a, err := s.Open(q.c.report.manifest, q.o.HPKE)
		if err != nil {
			q.find(Finding{Against: s.Organisation, Organisation: s.Organisation, Row: -1, Text: f.Name + ": " + err.Error()})
			continue
		}
		for _, b := range a.Batches {
			q.answer(a.Organisation, b)
		}
	}
	return nil
}

// note has the hub log the read; nothing is decrypted before it says that it did.
func (q *queryAudit) note(ctx context.Context, f AnswerFile) error {
	hub := q.c.report.manifest.Hub
	if err := q.o.Auditor.Call(ctx, hub.ID, q.o.Hub, client.PathQueryRead, client.QueryRead{Answer: opening.Digest(f.Raw)}, nil); err != nil {
		return fault.Wrap(fault.Unavailable, "That this answer is read could not be put in the log, so it was not opened: "+err.Error()+".", err)
	}
	return nil
}

// answer checks one opened batch of a member.
func (q *queryAudit) answer(org string, o client.OpenedBatch) {
	digest := opening.Digest(o.Manifest.Body)
	b := q.batches[digest]
	if b == nil || b.Organisation != org {
		q.find(Finding{Against: org, Organisation: org, Batch: digest.String(), Row: -1, Text: "it opens a batch that no key holder answered"})
		return
	}
	b.answers++
	m, err := q.manifest(b, o)
	if err != nil {
		q.find(b.about(org, -1, "%v", err))
		return
	}
	for _, x := range b.claims {
		if x.Class != m.Class || x.Points != m.Count {
			q.find(b.about(x.holder.ID, -1, "it says that it was asked %d points of %s, and the manifest says %d of %s", x.Points, x.Class, m.Count, m.Class))
			x.rows, x.Points, x.Class = nil, m.Count, m.Class // its draw is of another batch, and found once
		}
	}
	b.Points, b.Class = m.Count, m.Class
	b.gather()
	for _, r := range o.Rows {
		row, err := m.CheckRow(r)
		if err != nil {
			q.find(b.about(org, r.Path.Index, "%v", err))
			b.opened[r.Path.Index] = true // found once, not also as missing
			continue
		}
		if !b.opened[row.Index] {
			b.opened[row.Index] = true
			b.Rows = append(b.Rows, q.shown(row))
		}
	}
}

func (q *queryAudit) shown(r client.CheckedRow) QueryRow {
	if r.Dummy {
		return QueryRow{Row: r.Index, Dummy: true}
	}
	out := QueryRow{Row: r.Index, Reference: r.Case.Reference, Date: r.Case.Date, Kind: r.Case.Kind}
	if q.o.Selectors {
		out.Selector = r.Selector.Value
	}
	return out
}

// manifest verifies what the member signed, and that the promised log entry commits
// to it.
func (q *queryAudit) manifest(b *QueryBatch, o client.OpenedBatch) (client.BatchManifest, error) {
	var m client.BatchManifest
	pool := q.c.report.manifest
	member, _ := pool.Member(b.Organisation)
	if err := o.Manifest.Open(client.BatchDomain, member.Key, &m); err != nil {
		return m, fmt.Errorf("the batch's manifest: %w", err)
	}
	if m.Pool != pool.Pool || m.Epoch != pool.Epoch || m.Organisation != b.Organisation {
		return m, errors.New("the batch's manifest is of another pool, epoch or organisation")
	}
	for _, x := range b.claims {
		record, err := signed.Marshal(x.promise.Record())
		if err != nil {
			return m, err
		}
		if string(o.Log.Record) != string(record) || tlog.Commit(o.Log.Nonce, record) != tlog.Hash(x.promise.Commitment) {
			continue
		}
		if m.Time > time.UnixMicro(x.promise.Time).Add(signed.Window).UnixMicro() {
			return m, errors.New("the batch's manifest is dated after it was handed in")
		}
		return m, nil
	}
	return m, errors.New("what is shown does not open the batch's log entry")
}
