package gateway

import (
	"context"
	"sync"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/scenario"
	"parallax/internal/store"
)

// Versions lists the law data that was in use here, the latest first.
func (s *Service) Versions(ctx context.Context) (out []Version, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = readVersions(ctx, tx)
		return err
	})
	return out, err
}

// compared keeps what was compared: law data does not change under its digest,
// and a comparison asks thousands of questions. One runs at a time.
type compared struct {
	mu    sync.Mutex
	diffs map[[2]string]scenario.Diff
}

// maxCompared bounds what is kept.
const maxCompared = 64

// Compare tells what changed between two data that were in use here, and which
// answers change. The empty digest names the built-in data set.
func (s *Service) Compare(ctx context.Context, before, after string) (scenario.Diff, error) {
	s.compared.mu.Lock()
	defer s.compared.mu.Unlock()
	pair := [2]string{before, after}
	if d, ok := s.compared.diffs[pair]; ok {
		return d, nil
	}
	d, err := s.compare(ctx, before, after)
	if err == nil {
		if s.compared.diffs == nil || len(s.compared.diffs) >= maxCompared {
			s.compared.diffs = map[[2]string]scenario.Diff{}
		}
		s.compared.diffs[pair] = d
	}
	return d, err
}

func (s *Service) compare(ctx context.Context, before, after string) (scenario.Diff, error) {
	a, err := s.lawOf(ctx, before)
	if err != nil {
		return scenario.Diff{}, err
	}
	b, err := s.lawOf(ctx, after)
	if err != nil {
		return scenario.Diff{}, err
	}
	return scenario.Compare(ctx, a, b, nil, func(int, int) {})
}

func (s *Service) lawOf(ctx context.Context, digest string) (law.Set, error) {
	if digest == "" {
		return law.BuiltIn()
	}
	if digest == s.Law().Digest {
		return s.Law().Set, nil
	}
	var body string
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		body, err = readLaw(ctx, tx, digest)
		return err
	})
	if err != nil {
		return law.Set{}, err
	}
	return law.Read("law data "+digest[:12], []byte(body))
}
