package gateway

import (
	"context"

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

// Compare tells what changed between two data that were in use here, and which
// answers change. The empty digest names the built-in data set.
func (s *Service) Compare(ctx context.Context, before, after string) (scenario.Diff, error) {
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
	if digest == s.law.Digest {
		return s.law.Set, nil
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
