package demo

import (
	"context"
	"encoding/hex"
	"fmt"

	"parallax/internal/desk"
	"parallax/internal/sim"
	"parallax/opening"
)

// ready brings what was fed to where leads can be ready: into the log, then
// past the delay.
func (s *stage) ready(ctx context.Context) error {
	if err := s.advance(ctx, tick); err != nil {
		return err
	}
	return s.advance(ctx, openDelay)
}

func (s *stage) inbox(ctx context.Context) (in desk.Inbox, err error) {
	return in, s.deskJSON(ctx, authorityID, &in, "inbox")
}

// withdraw has the member take back the planted row and lets the hub do its
// round.
func (s *stage) withdraw(ctx context.Context) (w desk.Withdrawal, err error) {
	what := s.data.Truth.Withdraw[0]
	// A member keeps its receipts before it takes back the last row of one: after
	// that nobody can open the log entry any more.
	if _, err := s.desk(ctx, what.Organisation, "receipts", "--out", s.path("receipts", what.Organisation)); err != nil {
		return w, err
	}
	if err := s.deskJSON(ctx, what.Organisation, &w, "withdraw", "--ref", what.Reference, "--reason", what.Reason); err != nil {
		return w, err
	}
	return w, s.advance(ctx, tick)
}

// demoReason is what the desks of the demonstration write down.
const demoReason = "A demonstration with simulated data."

// request has the authority ask for a lead and gives the opening's id.
func (s *stage) request(ctx context.Context, lead, playbook string) (string, error) {
	out, err := s.desk(ctx, authorityID, "request", lead, "--purpose", purpose, "--basis", basisID, "--playbook", playbook, "--reason", demoReason)
	return trimmed(out), err
}

func (s *stage) approve(ctx context.Context, who, id string) error {
	_, err := s.desk(ctx, who, "approve", id, "--reason", demoReason)
	return err
}

// openAll requests, approves, releases and reads every lead that is ready.
func (s *stage) openAll(ctx context.Context) ([]desk.Lead, error) {
	in, err := s.inbox(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(in.Leads))
	for _, l := range in.Leads {
		id, err := s.request(ctx, l.ID, l.Playbook)
		if err != nil {
			return nil, err
		}
		for _, who := range []string{authorityID, overseerID} {
			if err := s.approve(ctx, who, id); err != nil {
				return nil, err
			}
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	if err := s.nextRelease(ctx); err != nil {
		return nil, err
	}
	out := make([]desk.Lead, len(ids))
	for i, id := range ids {
		if out[i], err = s.open(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// refs are the rows that openings showed.
func refs(leads []desk.Lead) []sim.Ref {
	var out []sim.Ref
	for _, l := range leads {
		for _, o := range l.Observations {
			out = append(out, sim.Ref{Organisation: o.Organisation, Reference: o.Payload.Reference})
		}
	}
	return out
}

// verifyLog checks the log as a stranger can: the newest checkpoint under the
// hub's key and a quorum of the holders, and a saved receipt for every
// contribution, offline. It gives the log's size.
func (s *stage) verifyLog(ctx context.Context, contributions int) (int64, error) {
	size, err := s.checkpoint(ctx)
	if err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	files, err := s.receipts(ctx)
	// A proof comes when a tick has taken the entry, which may wait behind others.
	for rounds := 0; err == nil && len(files) < contributions && rounds < 20; rounds++ {
		if err = s.advance(ctx, tick); err == nil {
			files, err = s.receipts(ctx)
		}
	}
	if err != nil {
		return size, err
	}
	if len(files) != contributions {
		return size, fmt.Errorf("%d receipts for %d contributions", len(files), contributions)
	}
	var pin opening.Hash
	raw, err := hex.DecodeString(s.pin)
	if err != nil || copy(pin[:], raw) != len(pin) {
		return size, fmt.Errorf("the transcript hash cannot be read")
	}
	for _, f := range files {
		v, err := desk.VerifyReceipt(f, pin)
		if err != nil {
			return size, fmt.Errorf("%s: %w", f, err)
		}
		if v.LogSize > size {
			return size, fmt.Errorf("%s proves a place in a log of %d entries, but the witnessed one has %d", f, v.LogSize, size)
		}
	}
	return size, nil
}
