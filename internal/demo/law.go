package demo

import (
	"context"
	"crypto/rand"
	"os"

	"parallax/internal/gateway/law"
)

// lawFiles writes the simulated overlay and its signatures, made anew for each
// demonstration by two counsel who do not exist.
func (s *stage) lawFiles() error {
	files, err := law.Simulated(rand.Reader, basisID)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.path("law"), 0o700); err != nil {
		return err
	}
	for name, f := range map[string]law.File{"overlay.yaml": files.Overlay, "published.json": files.Published, "counsel.json": files.Counsel} {
		if err := os.WriteFile(s.path("law", name), f.Raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// deskLaws gives each contributor's desk its counsel's simulated answer.
func (s *stage) deskLaws(ctx context.Context) error {
	var jobs []func(context.Context) error
	for _, o := range contributors() {
		jobs = append(jobs, func(ctx context.Context) error {
			_, err := s.desk(ctx, o.ID, "law", "--overlay", s.path("law", "overlay.yaml"), "--published", s.path("law", "published.json"), "--counsel", s.path("law", "counsel.json"))
			return err
		})
	}
	return together(ctx, jobs...)
}
