package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
	"parallax/tlog"
)

// An attempt is one try to open a lead past the rules, and what each holder
// answered, in its own words.
type attempt struct {
	What    string
	Answers []answer
}

type answer struct {
	Holder   string
	Said     string
	Released bool // the holder gave a share: the demonstration has failed
}

func requestOf(o client.OpeningState) (opening.Request, error) {
	var r opening.Request
	return r, signed.Unmarshal(o.Request.Body, &r)
}

// realRequest gives a request that the authority's desk signed, unapproved
// where there is another lead to ask for.
func (s *stage) realRequest(ctx context.Context, lead, playbook string) (signed.Object, error) {
	if lead != "" {
		if _, err := s.request(ctx, lead, playbook); err != nil {
			return signed.Object{}, err
		}
	}
	in, err := s.inbox(ctx)
	if err != nil {
		return signed.Object{}, err
	}
	best := -1
	for i, o := range in.Openings {
		if best < 0 || len(o.Approvals) < len(in.Openings[best].Approvals) {
			best = i
		}
	}
	if best < 0 {
		return signed.Object{}, fault.New(fault.Conflict, "Nothing has been requested yet, so there is nothing to open without approval. Follow the lead up to its request first.")
	}
	return in.Openings[best].Request, nil
}

// attack puts forged bundles before every holder, as a hub would that has been
// taken over: with the authority's real request and no approval, with approvals
// that the hub signed in others' names, and with a request of the hub's own.
func (s *stage) attack(ctx context.Context, real signed.Object) ([]attempt, error) {
	_, stolen, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	digest := opening.Digest(real.Body)
	var forged []signed.Object
	for _, who := range []string{authorityID, overseerID} {
		a, err := signed.Sign(opening.ApprovalDomain, who, stolen, opening.Approval{Approver: who, Request: digest, Time: s.clock.Now().UnixMicro()})
		if err != nil {
			return nil, err
		}
		forged = append(forged, a)
	}
	var r opening.Request
	if err := signed.Unmarshal(real.Body, &r); err != nil {
		return nil, err
	}
	own, err := signed.Sign(opening.RequestDomain, hubID, stolen, r)
	if err != nil {
		return nil, err
	}
	var out []attempt
	for _, try := range []struct {
		what      string
		request   signed.Object
		approvals []signed.Object
	}{
		{"The authority's real request, without any approval", real, []signed.Object{}},
		{"The same request, with two approvals that the hub forged", real, forged},
		{"The same list of observations, requested by the hub itself", own, forged},
	} {
		a := attempt{What: try.what}
		for _, h := range s.plan.Holders {
			x, err := s.ask(ctx, h, opening.Bundle{Manifests: []opening.SignedManifest{}, Items: []opening.Item{}, Request: try.request, Approvals: try.approvals})
			if err != nil {
				return nil, err
			}
			a.Answers = append(a.Answers, x)
		}
		out = append(out, a)
	}
	return out, nil
}

// ask sends a bundle to one holder, with the newest witnessed checkpoint.
func (s *stage) ask(ctx context.Context, h opening.Holder, b opening.Bundle) (answer, error) {
	st, err := client.Status(ctx, s.http, h, s.clock.Now)
	if err != nil {
		return answer{}, err
	}
	note, cp, err := s.witnessed(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("checkpoint: %w", err)
	}
	b.Checkpoint, b.Consistency = note, tlog.Consistency{Old: st.LogSize, New: cp.Size, Path: []tlog.Hash{}}
	b.RequestLog.Inclusion.Path = []tlog.Hash{}
	var got client.OpenAnswer
	err = client.Post(ctx, s.http, h.URL+client.PathOpen, b, &got)
	var p *client.Problem
	switch {
	case errors.As(err, &p):
		return answer{Holder: h.ID, Said: p.Detail}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{Holder: h.ID, Said: fmt.Sprintf("gave %d shares", len(got.Partials)), Released: true}, nil
}
