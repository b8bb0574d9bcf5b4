package pool

import (
	"context"

	"parallax/internal/store"
	"parallax/seal"
)

// Near gives the live observations in the cluster of one, itself among them.
// An observation that links to nothing, or is gone, gives none.
func (s *Service) Near(ctx context.Context, label seal.Label) (list []Observed, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		near := make(map[seal.Label]seal.Label)
		err := query(ctx, tx, `SELECT label, cluster FROM pool_cluster WHERE cluster = (SELECT c.cluster FROM pool_cluster c WHERE c.label = $1)`,
			[]any{label[:]}, scanPairs(near))
		if err != nil {
			return err
		}
		list, err = s.readObserved(ctx, tx, near)
		return err
	})
	return list, err
}

// Live gives those of the labels that are still live.
func (s *Service) Live(ctx context.Context, labels []seal.Label) (list []Observed, err error) {
	of := make(map[seal.Label]seal.Label, len(labels))
	for _, l := range labels {
		of[l] = l
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err = s.readObserved(ctx, tx, of)
		return err
	})
	return list, err
}
