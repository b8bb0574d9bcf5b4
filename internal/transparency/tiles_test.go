package transparency

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	ref "golang.org/x/mod/sumdb/tlog"

	"parallax/internal/api"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

// tree is a log made by x/mod alone, whose rows are put into a database
// directly: only the levels that tiles show, so that a large one is cheap.
type tree struct {
	t      *testing.T
	db     *store.DB
	log    *Log
	hashes []ref.Hash
	size   int64
}

// ReadHashes implements ref.HashReader.
func (x *tree) ReadHashes(at []int64) ([]ref.Hash, error) {
	out := make([]ref.Hash, len(at))
	for i, p := range at {
		out[i] = x.hashes[p]
	}
	return out, nil
}

func leafAt(n int64) tlog.Hash { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))) }

// growTo appends leaves and a checkpoint that both witnesses cosigned.
func (x *tree) growTo(size int64) {
	x.t.Helper()
	var entries, hashes [][]any
	for ; x.size < size; x.size++ {
		leaf := leafAt(x.size)
		entries = append(entries, []any{fmt.Sprint(x.size), "batch", leaf[:], []byte{}, leaf[:], int64(0), x.size})
		at := int64(len(x.hashes))
		more, err := ref.StoredHashes(x.size, leaf[:], x)
		if err != nil {
			x.t.Fatal(err)
		}
		x.hashes = append(x.hashes, more...)
		for i, h := range more {
			if level, _ := ref.SplitStoredHashIndex(at + int64(i)); level%8 == 0 {
				hashes = append(hashes, []any{at + int64(i), h[:]})
			}
		}
	}
	root, err := ref.TreeHash(size, x)
	if err != nil {
		x.t.Fatal(err)
	}
	cp := tlog.Checkpoint{Origin: origin, Size: size, Root: tlog.Hash(root)}
	if err := x.db.Write(x.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		insert(x.t, ctx, tx, `transparency_entry (ticket, kind, nonce, record, commitment, queued, leaf)`, entries)
		insert(x.t, ctx, tx, `transparency_hash (place, hash)`, hashes)
		insert(x.t, ctx, tx, `transparency_checkpoint (size, root, note, made)`, [][]any{{size, root[:], tlog.SignCheckpoint(cp, key("l")), int64(0)}})
		for _, w := range []string{"a", "b"} {
			insert(x.t, ctx, tx, `transparency_cosignature (size, witness, line)`, [][]any{{size, w, tlog.Cosign(cp, w, key(w), time.Unix(1_790_000_000, 0))}})
		}
		return nil
	}); err != nil {
		x.t.Fatal(err)
	}
}

func insert(t *testing.T, ctx context.Context, tx *store.Tx, into string, rows [][]any) {
	t.Helper()
	const most = 30 // SQLite binds by name in quadratic time
	for ; len(rows) > 0; rows = rows[min(most, len(rows)):] {
		var values []string
		var args []any
		for _, row := range rows[:min(most, len(rows))] {
			var marks []string
			for _, v := range row {
				args = append(args, v)
				marks = append(marks, fmt.Sprintf("$%d", len(args)))
			}
			values = append(values, "("+strings.Join(marks, ", ")+")")
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+into+" VALUES "+strings.Join(values, ", "), args...); err != nil {
			t.Fatal(err)
		}
	}
}

// serve serves a log as the hub does.
func serve(t *testing.T, l *Log) *httptest.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("GET /log/"+TilePattern, api.Handle(log, l.ServeTile()))
	mux.HandleFunc("GET /log/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		_, raw, err := l.Latest(r.Context())
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(raw)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// Two checkers of others, x/mod's tile reader and torchwood's client, read the
// whole log through its tiles at the sizes at which tiles begin and end.
func TestServedTilesSatisfyIndependentCheckers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		x := &tree{t: t, db: db, log: open(t, db)}
		s := serve(t, x.log)
		fetcher, err := torchwood.NewTileFetcher(s.URL+"/log", torchwood.WithHTTPClient(s.Client()))
		if err != nil {
			t.Fatal(err)
		}
		policy := policyOf(t)
		for _, size := range []int64{1, 255, 256, 257, 1000, 70_000} {
			x.growTo(size)
			raw, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
			if err != nil {
				t.Fatal(err)
			}
			cp, _, err := torchwood.VerifyCheckpoint(raw, policy)
			if err != nil || cp.N != size {
				t.Fatalf("size %d: torchwood reads %+v, %v", size, cp, err)
			}
			client, err := torchwood.NewClient(fetcher)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(0)
			for i, entry := range client.AllEntries(t.Context(), cp.Tree, 0) {
				if want := leafAt(i); i != n || string(entry) != string(want[:]) {
					t.Fatalf("size %d: entry %d is another", size, i)
				}
				n++
			}
			if err := client.Err(); err != nil || n != size {
				t.Fatalf("size %d: torchwood read %d entries: %v", size, n, err)
			}
			checkWithSumdb(t, cp.Tree, fetcher, x)
		}
	})
}

// checkWithSumdb proves places and an earlier size out of the tiles.
func checkWithSumdb(t *testing.T, head ref.Tree, fetcher *torchwood.TileFetcher, x *tree) {
	t.Helper()
	reader := torchwood.TileHashReaderWithContext(t.Context(), head, fetcher)
	for _, i := range []int64{0, head.N / 2, head.N - 1} {
		p, err := ref.ProveRecord(head.N, i, reader)
		if err != nil {
			t.Fatalf("size %d: %v", head.N, err)
		}
		leaf := leafAt(i)
		if err := ref.CheckRecord(p, head.N, head.Hash, i, ref.RecordHash(leaf[:])); err != nil {
			t.Errorf("size %d, entry %d: %v", head.N, i, err)
		}
	}
	for _, old := range []int64{1, (head.N + 1) / 2, head.N} {
		p, err := ref.ProveTree(head.N, old, reader)
		if err != nil {
			t.Fatalf("size %d: %v", head.N, err)
		}
		root, err := ref.TreeHash(old, x)
		if err != nil {
			t.Fatal(err)
		}
		if err := ref.CheckTree(p, head.N, head.Hash, old, root); err != nil {
			t.Errorf("from %d to %d: %v", old, head.N, err)
		}
	}
}

// policyOf is the log's key and both witnesses, in the spelling of others.
func policyOf(t *testing.T) torchwood.Policy {
	t.Helper()
	logKey, err := note.NewEd25519VerifierKey(origin, key("l").Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(logKey)
	if err != nil {
		t.Fatal(err)
	}
	all := []torchwood.Policy{torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(v)}
	for _, name := range []string{"a", "b"} {
		w, err := torchwood.NewCosignatureSigner(name, key(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, torchwood.SingleVerifierPolicy(w.Verifier()))
	}
	return torchwood.ThresholdPolicy(len(all), all...)
}

func TestTilesAreForEverAndNothingElseIsServed(t *testing.T) {
	x := &tree{t: t, db: storetest.SQLite(t)}
	x.log = open(t, x.db)
	s := serve(t, x.log)
	get := func(path string) *http.Response {
		res, err := s.Client().Get(s.URL + "/log/tile/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res
	}
	if res := get("0/000.p/1"); res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an empty log serves a tile: %s", res.Status)
	}
	x.growTo(300)
	for _, path := range []string{"0/000", "0/001.p/44", "0/001.p/1", "1/000.p/1", "entries/000", "entries/001.p/44"} {
		res := get(path)
		if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != forEver || res.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %s, %v", path, res.Status, res.Header)
		}
	}
	for _, path := range []string{"0/001", "0/001.p/45", "1/000", "1/000.p/2", "2/000.p/1", "0/x001/000", "entries/001.p/45", "8/0/000", "x", ""} {
		if res := get(path); res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %q", path, res.Status, res.Header.Get("Cache-Control"))
		}
	}
	// What a tick appended and no quorum has cosigned yet is not shown.
	if err := x.db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM transparency_cosignature WHERE size = 300`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	x.log.witnessed.Store(0) // as after a start
	if res := get("0/000"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a tile without a quorum: %s", res.Status)
	}
}
