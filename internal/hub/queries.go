package hub

import (
	"context"
	"io"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/signed"
)

// handIn promises a place in the log for a batch of queries, of which the hub
// sees a digest. The answer has one shape.
func (s *Server) handIn(ctx context.Context, who caller, req client.QueryRequest) (client.QueryPromised, error) {
	if err := s.admit(); err != nil {
		return client.QueryPromised{}, err
	}
	o, err := s.pool.HandIn(ctx, who.manifest, of(ctx), req.Batch)
	return client.QueryPromised{Promise: o}, err
}

// queryRead notes that a query auditor is about to read an answer, which the hub
// never has. The auditor's program reads on only once this was answered.
func (s *Server) queryRead(ctx context.Context, who caller, req client.QueryRead) (struct{}, error) {
	rec := client.QueryReadRecord{Type: "query-read", Pool: who.manifest.Pool, By: who.id, Answer: req.Answer, Time: s.o.Clock.Now().UnixMicro()}
	if _, err := io.ReadFull(s.o.Random, rec.Nonce[:]); err != nil {
		return struct{}{}, err
	}
	raw, err := signed.Marshal(rec)
	if err != nil {
		return struct{}{}, err
	}
	if err := s.tlog.Note(ctx, "query-read", raw); err != nil {
		return struct{}{}, fault.Wrap(fault.Unavailable, "The log cannot be written, so nothing may be read.", err)
	}
	return struct{}{}, nil
}
