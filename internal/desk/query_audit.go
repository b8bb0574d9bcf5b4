package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// A QueryAudit is what an answer to a query audit would show, before it shows
// anything: rows that the key holders' cosignatures drew of this desk's batches.
type QueryAudit struct {
	Auditor string         `json:"auditor"`
	Entity  string         `json:"entity"` // the auditor's body
	Since   string         `json:"since"`
	Until   string         `json:"until,omitempty"` // the last day; empty: today
	Holders []string       `json:"holders"`         // that said what this desk asked
	Away    []string       `json:"away"`            // whose rows are not in the answer, and why
	Batches []AuditedBatch `json:"batches"`
	Rows    int            `json:"rows"`
	Dummies int            `json:"dummies"` // of them

	to     opening.QueryAuditor
	member client.Member
}

// An AuditedBatch is one batch of an audit. Waits says why none of it is opened.
type AuditedBatch struct {
	Batch   opening.Hash `json:"batch"`
	Class   string       `json:"class"`
	Day     string       `json:"day"`
	Points  int          `json:"points"`
	Rows    int          `json:"rows"`
	Dummies int          `json:"dummies"`
	Waits   string       `json:"waits,omitempty"`

	drawn []int
	id    []byte // of the kept batch
	log   tlog.Opening
}

// A heldBatch is a batch that this desk can open.
type heldBatch struct {
	id     []byte
	inputs int
}

// queryCase is what a batch commits to of the record behind a row.
func queryCase(rec Record) client.QueryCase {
	return client.QueryCase{Reference: rec.Reference, Date: rec.Date, Kind: rec.Kind}
}

// QueryAudit asks every key holder which of this desk's batches it answered since
// a day, and which rows its cosignature drew. An empty auditor means the only one
// there is, an empty first day as far back as desks keep what opens a batch.
func (d *Desk) QueryAudit(ctx context.Context, auditor, since, until string) (QueryAudit, error) {
	for _, day := range []string{since, until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return QueryAudit{}, invalid("%q is no day; write it as 2026-11-24", day)
		}
	}
	m, _, err := d.member(ctx)
	if err != nil {
		return QueryAudit{}, err
	}
	qa := QueryAudit{Since: since, Until: until, Holders: []string{}, Away: []string{}, Batches: []AuditedBatch{}, member: m}
	if qa.Since == "" {
		qa.Since = d.clock.Now().UTC().Add(-client.QueryWindow).Format(time.DateOnly)
	}
	if qa.to, err = chooseAuditor(m.Manifest, auditor); err != nil {
		return qa, err
	}
	qa.Auditor, qa.Entity = qa.to.ID, qa.to.Entity
	asked := make(map[opening.Hash]client.AskedBatch)
	drawn := make(map[opening.Hash][]int)
	var order []opening.Hash
	for _, h := range m.Manifest.Holders {
		list, err := client.AskedBy(ctx, m.Caller, h, d.who.ID, qa.Since)
		if err != nil {
			qa.Away = append(qa.Away, h.ID+": "+oneLine(err))
			continue
		}
		qa.Holders = append(qa.Holders, h.ID)
		for _, b := range list {
			if until != "" && b.Day > until {
				continue
			}
			if _, known := asked[b.Batch]; !known {
				asked[b.Batch] = b
				order = append(order, b.Batch)
			}
			if b.Draw == nil {
				continue
			}
			rows, err := b.Draw.Sample(m.Manifest, h, b)
			if err != nil {
				return qa, fault.Wrap(fault.Conflict, "A key holder's word was refused: "+err.Error()+".", err)
			}
			drawn[b.Batch] = append(drawn[b.Batch], rows...)
		}
	}
	if len(qa.Holders) == 0 {
		return qa, fault.New(fault.Unavailable, "No key holder could be asked: "+strings.Join(qa.Away, "; ")+".")
	}
	return qa, d.fillAudit(ctx, &qa, order, asked, drawn)
}

func chooseAuditor(m opening.Manifest, id string) (opening.QueryAuditor, error) {
	list := m.QueryAuditors
	switch a, ok := m.QueryAuditor(id); {
	case ok:
		return a, nil
	case len(list) == 0:
		return a, fault.New(fault.NotFound, "The manifest that this desk holds names no query auditor. Join again to fetch the newest.")
	case id == "" && len(list) == 1:
		return list[0], nil
	case id == "":
		return a, invalid("the manifest names %d query auditors; choose one with --auditor", len(list))
	}
	return opening.QueryAuditor{}, invalid("the manifest names no query auditor %q", id)
}

// fillAudit finds for each batch what opens it, or says why it is left out.
func (d *Desk) fillAudit(ctx context.Context, qa *QueryAudit, order []opening.Hash, asked map[opening.Hash]client.AskedBatch, drawn map[opening.Hash][]int) error {
	held, err := d.heldBatches(ctx)
	if err != nil {
		return err
	}
	for _, digest := range order {
		a := asked[digest]
		b := AuditedBatch{Batch: digest, Class: a.Class, Day: a.Day, Points: a.Points, drawn: drawn[digest]}
		slices.Sort(b.drawn)
		b.drawn = slices.Compact(b.drawn)
		kept, ok := held[digest]
		switch {
		case len(b.drawn) == 0:
			b.Waits = "its rows are drawn at the log's next tick"
		case !ok:
			b.Waits = "this desk no longer holds what opens it"
		default:
			b.id = kept.id
			b.Waits, err = d.openEntry(ctx, qa.member, a, &b)
		}
		if err != nil {
			return err
		}
		if b.Waits == "" {
			b.Rows = len(b.drawn)
			for _, i := range b.drawn {
				if i >= kept.inputs {
					b.Dummies++
				}
			}
			qa.Rows, qa.Dummies = qa.Rows+b.Rows, qa.Dummies+b.Dummies
		}
		qa.Batches = append(qa.Batches, b)
	}
	return nil
}

// heldBatches are all batches that this desk can open, by digest.
func (d *Desk) heldBatches(ctx context.Context) (map[opening.Hash]heldBatch, error) {
	out := make(map[opening.Hash]heldBatch)
	err := d.records.list(ctx, func(id, sealed []byte) error {
		var b planBatch
		err := d.records.decode("batch", id, sealed, &b)
		out[b.Digest] = heldBatch{slices.Clone(id), len(b.Inputs)}
		return err
	}, `SELECT id, sealed FROM desk_batch`)
	return out, err
}

// openEntry fetches what opens a batch's log entry. waits says why it is not there yet.
func (d *Desk) openEntry(ctx context.Context, m client.Member, a client.AskedBatch, b *AuditedBatch) (waits string, err error) {
	promise, err := client.OpenPromise(a.Promise, m.Manifest.Hub.Key, m.Manifest.Pool, m.Manifest.Epoch, d.who.ID, a.Batch)
	if err != nil {
		return "", fault.Wrap(fault.Conflict, "A key holder names a promise that is none: "+err.Error()+".", err)
	}
	var proof client.ReceiptProof
	hub := m.Manifest.Hub
	if err := m.Call(ctx, hub.ID, hub.URL, client.PathReceipts, client.ReceiptRequest{Ticket: promise.Ticket}, &proof); err != nil {
		return "", refused(err)
	}
	if proof.State != client.ReceiptLogged || proof.Log == nil {
		return "the hub has not put it in the log yet", nil
	}
	b.log = proof.Log.Opening
	if tlog.Commit(b.log.Nonce, b.log.Record) != tlog.Hash(promise.Commitment) {
		return "", fault.New(fault.Conflict, "The hub shows another log entry for a batch than it had promised.")
	}
	return "", nil
}

// AnswerQueryAudit opens what the audit drew and gives it sealed to the auditor.
// It is in the desk's own log before anything is opened.
func (d *Desk) AnswerQueryAudit(ctx context.Context, qa QueryAudit) ([]byte, error) {
	if qa.Rows == 0 {
		return nil, fault.New(fault.NotFound, "There is nothing to open yet.")
	}
	if _, _, err := d.logged(ctx, Read{Opening: "query audit by " + qa.Auditor, Items: qa.Rows, Act: "audit-query"}); err != nil {
		return nil, err
	}
	m := qa.member
	a := client.QueryAnswer{Pool: m.Manifest.Pool, Epoch: m.Manifest.Epoch, Organisation: d.who.ID, Auditor: qa.Auditor, Since: qa.Since,
		Time: d.clock.Now().UnixMicro(), Batches: []client.OpenedBatch{}}
	for _, b := range qa.Batches {
		if b.Waits != "" {
			continue
		}
		o, err := d.openBatch(ctx, m, b)
		if err != nil {
			return nil, fmt.Errorf("batch %s: %w", b.Batch, err)
		}
		a.Batches = append(a.Batches, o)
	}
	raw, err := m.SealAnswer(a, qa.to)
	if err == nil && len(raw) > signed.MaxSize {
		return nil, invalid("the answer has %d MB and a file takes at most %d: answer for a shorter time (--since, --until), in several files", len(raw)>>20, signed.MaxSize>>20)
	}
	return raw, errors.Join(err, d.forgetBatches(ctx))
}

// openBatch blinds a kept batch again and opens the rows that were drawn.
func (d *Desk) openBatch(ctx context.Context, m client.Member, b AuditedBatch) (o client.OpenedBatch, err error) {
	err = d.records.list(ctx, func(id, sealed []byte) error {
		var kept planBatch
		if err := d.records.decode("batch", id, sealed, &kept); err != nil {
			return err
		}
		again := kept.batch()
		if err := m.Prepare(again); err != nil {
			return err
		}
		if again.Digest() != b.Batch {
			return fault.New(fault.Conflict, "This desk signs the batch differently now: its keys or the ceremony changed.")
		}
		o, err = again.OpenRows(b.drawn, b.log)
		return err
	}, `SELECT id, sealed FROM desk_batch WHERE id = $1`, b.id)
	return o, err
}

// forgetBatches drops what opens batches that no audit asks for any more.
func (d *Desk) forgetBatches(ctx context.Context) error {
	end := d.clock.Now().Add(-client.QueryWindow).UnixMicro()
	return d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM desk_batch WHERE closed > 0 AND closed < $1`, end)
		return err
	})
}

// KeepAnswer writes an answer to a new file.
func KeepAnswer(path string, raw []byte) error {
	if err := writeNew(path, raw); err != nil {
		return fault.Wrap(fault.Invalid, "The answer could not be written: "+err.Error()+".", err)
	}
	return nil
}
