package hub

import (
	"context"
	"io"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/signed"
)

// audit opens a page of the log to an auditor. That it was read is in the log
// before anything of it leaves.
func (s *Server) audit(ctx context.Context, who caller, req client.AuditRequest) (client.AuditPage, error) {
	size, _, err := s.tlog.Latest(ctx)
	if err != nil {
		return client.AuditPage{}, err
	}
	if req.Size < 1 || req.Size > size || req.From < 0 || req.From > req.Size {
		return client.AuditPage{}, fault.New(fault.Invalid, "The witnessed log has no such entries.")
	}
	if err := s.logAudit(ctx, who, req); err != nil {
		return client.AuditPage{}, err
	}
	if req.From == req.Size {
		return s.auditState(ctx)
	}
	return s.auditEntries(ctx, req)
}

// logAudit records a page that is about to be read.
func (s *Server) logAudit(ctx context.Context, who caller, req client.AuditRequest) error {
	rec := client.AuditRecord{Type: "audit-read", Pool: who.manifest.Pool, By: who.id, Size: req.Size, From: req.From, Time: s.o.Clock.Now().UnixMicro()}
	if _, err := io.ReadFull(s.o.Random, rec.Nonce[:]); err != nil {
		return err
	}
	raw, err := signed.Marshal(rec)
	if err != nil {
		return err
	}
	if err := s.tlog.Note(ctx, "audit-read", raw); err != nil {
		return fault.Wrap(fault.Unavailable, "The log cannot be written, so nothing is shown.", err)
	}
	return nil
}

func (s *Server) auditEntries(ctx context.Context, req client.AuditRequest) (client.AuditPage, error) {
	page := client.AuditPage{Entries: []client.AuditEntry{}, Leads: []client.AuditLead{}, Denials: []signed.Object{}}
	opened, err := s.tlog.Openings(ctx, req.From, min(req.From+client.AuditPageEntries, req.Size))
	if err != nil {
		return page, err
	}
	tickets := make([]string, 0, len(opened))
	for _, x := range opened {
		if x.Opening != nil && len(x.Opening.Record) > 0 {
			tickets = append(tickets, x.Ticket)
		}
	}
	batches, err := s.pool.Audit(ctx, tickets)
	if err != nil {
		return page, err
	}
	for _, x := range opened {
		page.Entries = append(page.Entries, client.AuditEntry{Opening: x.Opening, Batch: batches[x.Ticket]})
	}
	return page, nil
}

// auditDenials bounds the denials of one page; the pool's come oldest first.
const auditDenials = 100_000

func (s *Server) auditState(ctx context.Context) (client.AuditPage, error) {
	page := client.AuditPage{Entries: []client.AuditEntry{}, Denials: []signed.Object{}}
	var err error
	if page.Leads, err = s.leads.Audit(ctx); err != nil {
		return page, err
	}
	denied, err := s.pool.Denials(ctx, time.UnixMicro(0), auditDenials)
	for _, d := range denied {
		page.Denials = append(page.Denials, d.Object)
	}
	return page, err
}
