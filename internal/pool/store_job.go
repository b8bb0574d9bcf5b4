package pool

import (
	"context"

	"parallax/internal/store"
	"parallax/seal"
)

// tagsPerRun bounds one transaction of the linking job, for which others that
// write may wait.
const tagsPerRun = 2_000

// Link works through the tags that changed since it last ran: it rebuilds
// their summary rows and the clusters that they concern. It is the only writer
// of rows in which several organisations have a part. After each transaction it
// stops where more says no, and takes up the rest when it is called again; nil
// goes on to the end.
func (s *Service) Link(ctx context.Context, epoch string, more func() bool) error {
	for {
		left, err := s.linkSome(ctx, epoch, tagsPerRun)
		if err != nil || !left || more != nil && !more() {
			return err
		}
	}
}

func (s *Service) linkSome(ctx context.Context, epoch string, limit int) (left bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		tags, touches, err := touchedTags(ctx, tx, limit)
		if err != nil {
			return err
		}
		left = len(tags) == limit
		if len(tags) == 0 {
			return nil
		}
		if err := summarise(ctx, tx, epoch, tags); err != nil {
			return err
		}
		labels := make([][]byte, len(touches))
		for i, x := range touches {
			labels[i] = x.label
		}
		if err := recluster(ctx, tx, tags, labels); err != nil {
			return err
		}
		return forgetTouches(ctx, tx, touches)
	})
	return left, err
}

// recluster recomputes the components of everything that the tags concern. A
// link from there to the outside would go through a tag that did not change,
// and then both ends were in one cluster before, so there is none.
func recluster(ctx context.Context, tx *store.Tx, tags, labels [][]byte) error {
	concerned, err := region(ctx, tx, tags, labels)
	if err != nil {
		return err
	}
	keys := make([][]byte, 0, len(concerned))
	for l := range concerned {
		keys = append(keys, append([]byte{}, l[:]...))
	}
	keys = distinct(keys)
	nodes, count, err := personTags(ctx, tx, keys)
	if err != nil {
		return err
	}
	if err := execIn(ctx, tx, `DELETE FROM pool_cluster WHERE label IN (`, nil, keys, ``); err != nil {
		return err
	}
	var rows [][]any
	for l, c := range Components(nodes, count, FrequencyCap) {
		rows = append(rows, []any{append([]byte{}, l[:]...), append([]byte{}, c[:]...)})
	}
	sortRows(rows)
	return insertRows(ctx, tx, "pool_cluster (label, cluster)", rows)
}

// Clusters gives the whole index: for each live observation with a person tag
// the least label of its cluster.
func (s *Service) Clusters(ctx context.Context) (map[seal.Label]seal.Label, error) {
	out := make(map[seal.Label]seal.Label)
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		return query(ctx, tx, `SELECT label, cluster FROM pool_cluster`, nil, scanPairs(out))
	})
	return out, err
}
