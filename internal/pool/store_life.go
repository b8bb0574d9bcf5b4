package pool

import (
	"context"

	"parallax/internal/store"
)

// Life counts what the pool holds by when it ends.
type Life struct {
	Live      int64 `json:"observations"`
	Days30    int64 `json:"end_within_30_days"`
	Days90    int64 `json:"end_within_90_days"`
	Later     int64 `json:"end_later"`
	Frozen    int64 `json:"frozen"`
	Escalated int64 `json:"frozen_undecided_30_days"`
	Revoked   int64 `json:"revoked_by_approvers"`
	Withdrawn int64 `json:"withdrawn"`
	Expired   int64 `json:"expired"`
	ToForget  int64 `json:"keys_to_destroy"`
}

// Life counts.
func (s *Service) Life(ctx context.Context) (l Life, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'live'),
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'live' AND expires <= $1),
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'live' AND expires > $1 AND expires <= $2),
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'live' AND expires > $2),
			(SELECT COUNT(DISTINCT label) FROM pool_freeze WHERE NOT final),
			(SELECT COUNT(DISTINCT label) FROM pool_freeze WHERE NOT final AND since < $3),
			(SELECT COUNT(DISTINCT label) FROM pool_freeze WHERE final),
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'withdrawn'),
			(SELECT COUNT(*) FROM pool_observation WHERE state = 'expired'),
			(SELECT COUNT(*) FROM pool_deletion WHERE done = 0)`,
			now.AddDate(0, 0, 30).UnixMicro(), now.AddDate(0, 0, 90).UnixMicro(), now.AddDate(0, 0, -30).UnixMicro()).
			Scan(&l.Live, &l.Days30, &l.Days90, &l.Later, &l.Frozen, &l.Escalated, &l.Revoked, &l.Withdrawn, &l.Expired, &l.ToForget)
	})
	return l, err
}
