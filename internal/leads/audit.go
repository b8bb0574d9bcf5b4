package leads

import (
	"context"

	"parallax/client"
	"parallax/internal/store"
)

// Audit gives what this hub holds ready or did, for an auditor: labels and
// states, without ids, since those are for approvers.
func (s *Service) Audit(ctx context.Context) (out []client.AuditLead, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out = []client.AuditLead{}
		for _, state := range []string{"ready", "requested", "released"} {
			rows, err := readLeads(ctx, tx, state)
			if err != nil {
				return err
			}
			for _, r := range rows {
				out = append(out, client.AuditLead{State: state, Labels: r.Labels})
			}
		}
		return nil
	})
	return out, err
}
