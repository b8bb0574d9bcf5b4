package keyholder

import (
	"crypto/ed25519"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// An asked batch is a charge with how many heads this holder had cosigned when it
// took it: the next one, if there is one, draws the holder's share of an audit.
type asked struct {
	charge
	heads int
}

// audited is a query auditor's question, on disk before it is answered.
type audited struct {
	By    string `json:"by"`
	Since string `json:"since"`
	From  int    `json:"from"`
	Time  int64  `json:"time"`
}

// Asked tells a member which of its own batches this holder answered, and a query
// auditor of all members': with each the hub's promise and, once there is one, the
// cosignature that decides which rows are opened. A suspended member is told too.
func (s *Server) Asked(o signed.Object) (signed.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var req client.AskedRequest
	m, err := s.sender(o, client.PathAsked, s.askerKey, &req)
	if err != nil {
		return signed.Object{}, err
	}
	if _, err := time.Parse(time.DateOnly, req.Since); err != nil || req.From < 0 {
		return signed.Object{}, fault.New(fault.Invalid, "The question needs a day as 2026-11-24 and a place from 0 on.")
	}
	a := client.Asked{Organisation: m.Sender, Index: s.keys.index, Since: req.Since, From: req.From, Nonce: req.Nonce, Batches: []client.AskedBatch{}}
	if _, auditor := s.state.manifest.QueryAuditor(m.Sender); auditor {
		a.Organisation = ""
		if err := s.journal.append(kindAudited, audited{By: m.Sender, Since: req.Since, From: req.From, Time: s.clock.Now().UnixMicro()}); err != nil {
			return signed.Object{}, unavailable(err)
		}
	}
	s.fillAsked(&a)
	return signed.Sign(client.AskedDomain, s.who.ID, s.who.signKey(), a)
}

// askerKey finds members, also suspended ones, and query auditors.
func (s *Server) askerKey(id string) ed25519.PublicKey {
	if m, ok := s.state.manifest.Member(id); ok {
		return m.Key
	}
	a, _ := s.state.manifest.QueryAuditor(id)
	return a.Key
}

// fillAsked takes one page. Places count among the batches that the asker may
// see, so that they tell nothing of others'.
func (s *Server) fillAsked(a *client.Asked) {
	n := 0
	for _, x := range s.state.asked {
		if x.Day < a.Since || a.Organisation != "" && x.Org != a.Organisation {
			continue
		}
		if n++; n <= a.From {
			continue
		}
		if len(a.Batches) == client.AskedPage {
			a.More = true
			return
		}
		a.Batches = append(a.Batches, client.AskedBatch{Batch: x.Batch, Organisation: x.Org, Class: x.Class, Points: x.Points, Day: x.Day,
			Promise: x.Promise, Draw: s.draw(x)})
	}
}

// draw is the holder's first cosignature after it took the batch, made again: the
// same bytes for ever.
func (s *Server) draw(x asked) *client.Draw {
	if x.heads >= len(s.state.witness) {
		return nil
	}
	w := s.state.witness[x.heads]
	d := client.Draw{Size: w.Size, Root: w.Root, Time: time.UnixMicro(w.Time).Unix()}
	d.Sig = tlog.CosignatureOf(d.Checkpoint(s.keys.plan.Hub.LogOrigin), s.who.witnessKey(), d.Time)
	return &d
}

// promised requires the hub's word that the batch will be in the log: a batch that
// nobody handed in is not answered.
func (s *Server) promised(req client.EvaluateRequest, b client.BatchManifest, digest opening.Hash) error {
	_, err := client.OpenPromise(req.Promise, s.keys.plan.Hub.Key, b.Pool, b.Epoch, b.Organisation, digest)
	if err != nil {
		return fault.Wrap(fault.Forbidden, "The hub has not promised that this batch will be in the log; hand it in there first. Nothing was charged.", err)
	}
	return nil
}
