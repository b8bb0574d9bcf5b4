package keyholder

import (
	"fmt"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/signed"
)

// releaseCounts is what the holder publishes of its releases: one signed record
// for each quarter, from the one in which it first followed a manifest, each
// naming the one before. They are made from the journal anew each time, and
// are the same bytes each time.
func (s *Server) releaseCounts() (client.ReleaseCounts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := client.ReleaseCounts{Counts: []signed.Object{}}
	if s.state.began.IsZero() {
		return out, nil
	}
	var previous opening.Hash
	for q := client.QuarterOf(s.state.began); ; q = q.Next() {
		if s.clock.Now().Before(q.Published()) {
			return out, nil
		}
		n := 0
		for _, r := range s.state.releases {
			if !r.Again && client.QuarterOf(time.UnixMicro(r.Time)) == q {
				n++
			}
		}
		o, err := signed.Sign(client.ReleaseCountDomain, s.who.ID, s.who.signKey(), client.ReleaseCount{Pool: s.keys.plan.Pool,
			Epoch: s.keys.plan.Epoch, Index: s.keys.index, Quarter: q.String(), Count: coarse(n), Previous: previous})
		if err != nil {
			return out, err
		}
		previous = opening.Digest(o.Body)
		out.Counts = append(out.Counts, o)
	}
}

// coarse hides small numbers, nought among them.
func coarse(n int) string {
	if n < 10 {
		return client.FewReleases
	}
	return fmt.Sprint(n)
}
