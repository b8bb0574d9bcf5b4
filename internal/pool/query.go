package pool

import (
	"context"

	"parallax/client"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// HandIn takes the digest of a batch that a member is about to ask the key
// holders, with its entry in the log, and promises that entry. The same digest
// again brings the same promise. It reads and writes the member's own rows only.
func (s *Service) HandIn(ctx context.Context, m opening.Manifest, of scope.Scope, batch opening.Hash) (out signed.Object, err error) {
	p := client.QueryPromise{Pool: m.Pool, Epoch: m.Epoch, Organisation: of.Organisation(), Batch: batch, Time: s.clock.Now().UnixMicro()}
	record, err := signed.Marshal(p.Record())
	if err != nil {
		return out, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		had, ok, err := readQuery(ctx, tx, p.Organisation, batch)
		if err != nil || ok {
			out = had
			return err
		}
		ticket, commitment, err := s.log.Append(ctx, tx, "query", record)
		if err != nil {
			return err
		}
		p.Ticket, p.Commitment = ticket, commitment
		if out, err = s.sign(client.QueryPromiseDomain, p); err != nil {
			return err
		}
		return insertQuery(ctx, tx, p, out)
	})
	return out, settle(err)
}
