package client

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// Paths of the query audit.
const (
	// PathQueries takes, at the hub, the digest of a batch manifest before any
	// holder is asked.
	PathQueries = "/v1/queries"
	// PathQueryRead notes, at the hub, that a query auditor is about to read an answer.
	PathQueryRead = "/v1/queries/read"
	// PathAsked tells, at a holder, which batches it answered.
	PathAsked = "/v1/asked"
)

// Domains of what the query audit signs.
const (
	QueryPromiseDomain = "parallax/query-promise/v1"
	AskedDomain        = "parallax/asked/v1"
	QueryAnswerDomain  = "parallax/query-answer/v1"
)

// QueryWindow is how long a desk keeps what opens a batch, and how far back an
// audit may ask.
const QueryWindow = 90 * 24 * time.Hour

// A QueryRequest hands a batch in by the digest of its signed manifest. The
// manifest's nonce makes that a hiding commitment: the hub learns that the member
// asks, not what class, how much or on what basis.
type QueryRequest struct {
	Batch opening.Hash `json:"batch"`
}

// QueryPromised has the same shape whatever is asked.
type QueryPromised struct {
	Promise signed.Object `json:"promise"`
}

// A QueryPromise is the hub's word that Commitment, which commits to a
// [QueryRecord], will be in the log. Ticket asks for what opens it.
type QueryPromise struct {
	Pool         string       `json:"pool"`
	Epoch        string       `json:"epoch"`
	Organisation string       `json:"organisation"`
	Batch        opening.Hash `json:"batch"`
	Commitment   opening.Hash `json:"commitment"`
	Ticket       string       `json:"ticket"`
	Time         int64        `json:"time"` // UTC microseconds
}

// A QueryRecord is what the log commits to for one batch of queries.
type QueryRecord struct {
	Type         string       `json:"type"` // "query"
	Pool         string       `json:"pool"`
	Epoch        string       `json:"epoch"`
	Organisation string       `json:"organisation"`
	Batch        opening.Hash `json:"batch"`
}

// Record is the record that the promise is about.
func (p QueryPromise) Record() QueryRecord {
	return QueryRecord{Type: "query", Pool: p.Pool, Epoch: p.Epoch, Organisation: p.Organisation, Batch: p.Batch}
}

// OpenPromise verifies the hub's promise for a batch of a member.
func OpenPromise(o signed.Object, hub ed25519.PublicKey, pool, epoch, org string, batch opening.Hash) (QueryPromise, error) {
	var p QueryPromise
	if err := o.Open(QueryPromiseDomain, hub, &p); err != nil {
		return p, fmt.Errorf("the hub's promise: %w", err)
	}
	if p.Pool != pool || p.Epoch != epoch || p.Organisation != org || p.Batch != batch {
		return p, errors.New("the hub's promise is for another batch")
	}
	return p, nil
}

// HandIn gives a prepared batch's digest to the hub and keeps its promise with
// the batch. Handing it in again brings the same promise.
func (m Member) HandIn(ctx context.Context, b *Batch) (QueryPromise, error) {
	var ans QueryPromised
	hub := m.Manifest.Hub
	if err := m.Call(ctx, hub.ID, hub.URL, PathQueries, QueryRequest{Batch: b.Digest()}, &ans); err != nil {
		return QueryPromise{}, err
	}
	p, err := OpenPromise(ans.Promise, hub.Key, m.Manifest.Pool, m.Manifest.Epoch, m.Sender, b.Digest())
	if err == nil {
		b.request.Promise = ans.Promise
	}
	return p, err
}

// AskedPage bounds the batches of one answer, and maxAsked those of all pages.
const (
	AskedPage = 256
	maxAsked  = 1 << 20
)

// An AskedRequest asks a holder which batches it answered since a day (UTC): a
// member of its own, a query auditor of all. From counts within that list.
type AskedRequest struct {
	Since string       `json:"since"` // 2006-01-02
	From  int          `json:"from"`
	Nonce opening.Hash `json:"nonce"`
}

// Asked is a holder's signed answer. Organisation is the member that asked, of
// whom alone it speaks; empty for an auditor.
type Asked struct {
	Organisation string       `json:"organisation"`
	Index        int          `json:"index"` // of the holder
	Since        string       `json:"since"`
	From         int          `json:"from"`
	Batches      []AskedBatch `json:"batches"`
	More         bool         `json:"more"`
	Nonce        opening.Hash `json:"nonce"`
}

// An AskedBatch is one batch that a holder charged and answered.
type AskedBatch struct {
	Batch        opening.Hash  `json:"batch"` // digest of its signed manifest
	Organisation string        `json:"organisation"`
	Class        string        `json:"class"`
	Points       int           `json:"points"`
	Day          string        `json:"day"`
	Promise      signed.Object `json:"promise"` // of the hub, that it will be in the log
	// Draw is nil until the holder has cosigned a larger log than when it was asked.
	Draw *Draw `json:"draw"`
}

// A Draw is the cosignature that fixes a holder's share of an audit's sample:
// the holder's own first one, of a log larger than any before, after it charged
// the batch. There is one for a holder and a batch.
type Draw struct {
	Size int64     `json:"size"`
	Root tlog.Hash `json:"root"`
	Time int64     `json:"time"` // seconds since 1970
	Sig  []byte    `json:"sig"`
}

// Checkpoint is what was cosigned.
func (d Draw) Checkpoint(origin string) tlog.Checkpoint {
	return tlog.Checkpoint{Origin: origin, Size: d.Size, Root: d.Root}
}

// Sample are the rows that this draw picks of a batch: the holder's signature
// decides, over a checkpoint that was not there when the batch was fixed.
func (d Draw) Sample(m opening.Manifest, h opening.Holder, b AskedBatch) ([]int, error) {
	if !tlog.VerifyCosignature(d.Checkpoint(m.Hub.LogOrigin), h.Witness, d.Time, d.Sig) {
		return nil, fmt.Errorf("the cosignature that key holder %s names for batch %s is not its own", h.ID, b.Batch)
	}
	return sample(drawSeed(b.Batch, d.Sig), b.Points), nil
}

// AskedBy asks one holder for all pages of what it answered since a day. Organisation
// is the member of whom it must speak; empty where an auditor asks.
func AskedBy(ctx context.Context, c Caller, h opening.Holder, organisation, since string) ([]AskedBatch, error) {
	var out []AskedBatch
	for {
		req := AskedRequest{Since: since, From: len(out)}
		if _, err := io.ReadFull(c.Random, req.Nonce[:]); err != nil {
			return nil, err
		}
		var o signed.Object
		if err := c.Call(ctx, h.ID, h.URL, PathAsked, req, &o); err != nil {
			return nil, err
		}
		var a Asked
		if err := o.Open(AskedDomain, h.Key, &a); err != nil {
			return nil, fmt.Errorf("what it was asked: %w", err)
		}
		if a.Organisation != organisation || a.Index != h.Index || a.Nonce != req.Nonce || a.Since != since || a.From != req.From || a.More && len(a.Batches) == 0 {
			return nil, errors.New("the answer is to another question")
		}
		for _, b := range a.Batches {
			if !validSize(b.Points) || organisation != "" && b.Organisation != organisation {
				return nil, errors.New("the answer holds a batch that cannot be")
			}
		}
		if out = append(out, a.Batches...); !a.More {
			return out, nil
		}
		if len(out) > maxAsked {
			return nil, errors.New("the answer has no end")
		}
	}
}

// A QueryReadRecord is what the log commits to before an answer is decrypted.
type QueryReadRecord struct {
	Type   string       `json:"type"` // "query-read"
	Pool   string       `json:"pool"`
	By     string       `json:"by"`
	Answer opening.Hash `json:"answer"` // digest of the sealed file
	Time   int64        `json:"time"`
	Nonce  opening.Hash `json:"nonce"`
}

// QueryRead says that the sender is about to read an answer.
type QueryRead struct {
	Answer opening.Hash `json:"answer"`
}
