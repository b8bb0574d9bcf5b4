package hub

import (
	"context"
	"time"

	"parallax/client"
	"parallax/internal/amends"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// openAmends wires what carries corrections to the slices that it hears from.
func (s *Server) openAmends(ctx context.Context) (err error) {
	s.amends, err = amends.New(ctx, s.o.DB, amends.Sources{
		Acts: func(ctx context.Context, from time.Time, limit int) ([]amends.Act, error) {
			list, err := s.pool.Denials(ctx, from, limit)
			out := make([]amends.Act, len(list))
			for i, d := range list {
				out[i] = amends.Act(d)
			}
			return out, err
		},
		Opened: func(ctx context.Context) ([]amends.Opened, error) {
			list, err := s.leads.Opened(ctx)
			out := make([]amends.Opened, len(list))
			for i, o := range list {
				out[i] = amends.Opened{ID: o.ID, Labels: o.Labels, At: o.At}
			}
			return out, err
		},
		Bare: s.leads.Bare,
		Deny: func(ctx context.Context, h opening.Holder, o signed.Object) (signed.Object, error) {
			return client.DenyAt(ctx, s.o.HTTP, h, o)
		},
		Append: func(ctx context.Context, tx *store.Tx, kind string, record []byte) error {
			_, err := s.tlog.Append(ctx, tx, kind, record)
			return err
		},
	}, s.o.Clock, s.o.Random)
	s.leads.Held = s.amends.Held
	return err
}

func (s *Server) subject(ctx context.Context, who caller, req client.SubjectReport) (client.CorrectedAck, error) {
	return s.amends.TakeSubject(ctx, who.manifest, who.id, req)
}

func (s *Server) subjects(ctx context.Context, who caller, _ struct{}) (client.Subjects, error) {
	return s.amends.Subjects(ctx, who.manifest, who.id)
}

func (s *Server) retain(ctx context.Context, who caller, req client.RetainRequest) (client.Retained, error) {
	return s.amends.Review(ctx, who.manifest, who.id, req)
}

func (s *Server) retained(ctx context.Context, who caller, _ struct{}) (client.RetainedList, error) {
	return s.amends.Reviews(ctx, who.manifest, who.id)
}

func (s *Server) corrected(ctx context.Context, who caller, _ struct{}) (client.Corrected, error) {
	return s.amends.List(ctx, who.manifest, who.id)
}

func (s *Server) correctedAck(ctx context.Context, who caller, o signed.Object) (client.CorrectedAck, error) {
	return s.amends.Acknowledge(ctx, who.manifest, who.id, o)
}
