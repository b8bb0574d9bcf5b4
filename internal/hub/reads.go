package hub

import (
	"context"
	"io"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// anchorReads takes where a desk's read log stands into the log, so that a desk
// cannot take lines back afterwards. A head that goes back is taken, too: an
// auditor finds it.
func (s *Server) anchorReads(ctx context.Context, who caller, req client.ReadsHead) (o signed.Object, err error) {
	if req.Count < 1 || req.Head == (opening.Hash{}) {
		return o, fault.New(fault.Invalid, "A read log without lines has no head.")
	}
	a := client.AnchoredReads{By: who.id, Time: s.o.Clock.Now().UnixMicro(), ReadsHead: req}
	rec := client.ReadsRecord{Type: "reads-head", Pool: who.manifest.Pool, AnchoredReads: a}
	if _, err := io.ReadFull(s.o.Random, rec.Nonce[:]); err != nil {
		return o, err
	}
	raw, err := signed.Marshal(rec)
	if err != nil {
		return o, err
	}
	if err := s.tlog.Note(ctx, "reads-head", raw); err != nil {
		return o, fault.Wrap(fault.Unavailable, "The log cannot be written, so the head was not taken.", err)
	}
	return s.sign(client.AnchoredDomain, a)
}
