package desk

import (
	"context"
	"slices"

	"parallax/internal/store"
	"parallax/opening"
)

// keepCorrection keeps a correction, or adds openings to one that is kept.
func (r *records) keepCorrection(ctx context.Context, digest opening.Hash, x ReceivedCorrection) error {
	had, err := r.corrections(ctx)
	if err != nil {
		return err
	}
	for _, h := range had {
		if h.ID != x.ID {
			continue
		}
		if !slices.ContainsFunc(x.Openings, func(id string) bool { return !slices.Contains(h.Openings, id) }) {
			return nil
		}
		h.Openings = x.Openings
		return r.changeCorrection(ctx, digest, h)
	}
	return r.changeCorrection(ctx, digest, x)
}

func (r *records) changeCorrection(ctx context.Context, digest opening.Hash, x ReceivedCorrection) error {
	id := r.v.key("correction", digest[:])
	sealed, err := r.encode("correction", id, x)
	if err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO desk_correction (id, taken, sealed) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed`, id, x.Denial.Time, sealed)
		return err
	})
}

func (r *records) corrections(ctx context.Context) (out []ReceivedCorrection, err error) {
	err = r.list(ctx, func(id, sealed []byte) error {
		var x ReceivedCorrection
		err := r.decode("correction", id, sealed, &x)
		out = append(out, x)
		return err
	}, `SELECT id, sealed FROM desk_correction ORDER BY taken, id`)
	return out, err
}

func (r *records) keepReferral(ctx context.Context, x Referral) error {
	id, at := r.v.key("referral", []byte(x.Opening+"|"+x.To)), r.v.key("opening", []byte(x.Opening))
	sealed, err := r.encode("referral", id, x)
	if err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO desk_referral (id, opening, sealed) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, id, at, sealed)
		return err
	})
}

func (r *records) referrals(ctx context.Context, id string) (out []Referral, err error) {
	err = r.list(ctx, func(id, sealed []byte) error {
		var x Referral
		err := r.decode("referral", id, sealed, &x)
		out = append(out, x)
		return err
	}, `SELECT id, sealed FROM desk_referral WHERE opening = $1 ORDER BY id`, r.v.key("opening", []byte(id)))
	return out, err
}
