package transparency

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/tlog"
)

// Tile gives the bytes of a tile of the witnessed log: nothing that no quorum
// has cosigned is shown.
func (l *Log) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	if ok, err := l.published(ctx, t); err != nil || !ok {
		return nil, orNotFound(err)
	}
	var out []byte
	err := l.o.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if t.Level == tlog.Entries {
			out, err = entryTile(ctx, tx, t)
		} else {
			out, err = hashTile(ctx, tx, t)
		}
		return err
	})
	return out, err
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "The witnessed log has no such tile.")
}

// published reports that the witnessed log holds the tile. How far the log is
// published is remembered, since it only grows.
func (l *Log) published(ctx context.Context, t tlog.Tile) (bool, error) {
	if t.Covered(l.witnessed.Load()) {
		return true, nil
	}
	size, _, err := l.Latest(ctx)
	if err != nil {
		return false, err
	}
	l.witnessed.Store(size)
	return t.Covered(size), nil
}

func entryTile(ctx context.Context, tx *store.Tx, t tlog.Tile) ([]byte, error) {
	first := t.Index * tlog.TileWidth
	rows, err := tx.QueryContext(ctx, `SELECT commitment FROM transparency_entry WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf`, first, first+int64(t.Width))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []byte
	n := 0
	for ; rows.Next(); n++ {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if len(raw) != len(tlog.Hash{}) {
			return nil, fmt.Errorf("log entry %d: a commitment of %d bytes", first+int64(n), len(raw))
		}
		out = tlog.AppendEntry(out, tlog.Hash(raw))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n != t.Width {
		return nil, fmt.Errorf("log tile %s: %d of %d entries are there", t.Path(), n, t.Width)
	}
	return out, nil
}

// hashTile reads a tile's hashes in one statement: on the levels above the
// leaves they lie far apart.
func hashTile(ctx context.Context, tx *store.Tx, t tlog.Tile) ([]byte, error) {
	places := t.Places() // ascending
	args := make([]any, len(places))
	var list strings.Builder
	for i, p := range places {
		args[i] = p
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString("$" + strconv.Itoa(i+1))
	}
	rows, err := tx.QueryContext(ctx, `SELECT hash FROM transparency_hash WHERE place IN (`+list.String()+`) ORDER BY place`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]byte, 0, len(places)*len(tlog.Hash{}))
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		out = append(out, raw...)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(out) != len(places)*len(tlog.Hash{}) {
		return nil, fmt.Errorf("log tile %s: hashes are missing", t.Path())
	}
	return out, nil
}
