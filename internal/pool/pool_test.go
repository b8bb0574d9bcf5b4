package pool

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/seal/sealtest"
	"parallax/selector"
)

func mail(v string) tag { return tag{selector.Email, v} }

func TestBatchIsStoredLoggedAndAcknowledgedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, b := w.observe("org-0", nil, mail("x"), tag{selector.Bank, "b"}), w.observe("org-0", nil, mail("y"))
		first, err := w.send("org-0", a, b)
		must(t, err)
		r, err := client.CheckReceipt(first, keyOf("hub").Public().(ed25519.PublicKey))
		must(t, err)
		if r.Org != "org-0" || r.Root != w.batch("org-0", a, b).Root || r.Ticket == "" || r.Commitment == (opening.Hash{}) {
			t.Errorf("receipt %+v", r)
		}
		again, err := w.send("org-0", a, b)
		must(t, err)
		if !bytes.Equal(first.Body, again.Body) || !bytes.Equal(first.Sig, again.Sig) {
			t.Error("the same batch must get the same receipt")
		}
		// Another batch with one observation that is there already.
		_, err = w.send("org-0", a)
		must(t, err)
		if n := w.count("pool_observation"); n != 2 {
			t.Errorf("%d observations stored, want 2", n)
		}
		if len(w.log.kinds) != 2 || w.log.kinds[0] != "batch" {
			t.Errorf("log entries %v", w.log.kinds)
		}
		items, err := w.pool.Items(context.Background(), labelsOf(t, []client.Contributed{a, b}))
		must(t, err)
		for i, it := range items {
			leaf, err := it.Observation.Leaf()
			must(t, err)
			if err := it.Path.Verify(leaf, it.Root); err != nil || !it.Live || len(it.Box) == 0 || it.Path.Index != i {
				t.Errorf("item %d: %v %+v", i, err, it.Path)
			}
		}
	})
}

func TestBatchIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		good := w.observe("org-0", nil, mail("x"))
		stolen := w.observe("org-0", nil, mail("z"))
		stolen.Observation.TagSigs[0] = possession(selector.Email, "other").Sign([]byte("something"))
		box := w.observe("org-0", nil, mail("box"))
		box.Box = append(bytes.Clone(box.Box), 0)
		swapped := w.observe("org-0", nil, mail("swapped"))
		swapped.Box = bytes.Clone(good.Box)
		cases := map[string]client.Contributed{
			"not signed by its possession key":       stolen,
			"none of the padded sizes":               box,
			"not the one that the observation names": swapped,
			"same as line 1":                         good,
			"another organisation than its sender":   w.observe("org-0", func(h *opening.Header) { h.Organisation = "org-1" }, mail("x")),
			"the sector is not":                      w.observe("org-0", func(h *opening.Header) { h.Sector = "elsewhere" }, mail("x")),
			"outside the scope":                      w.observe("org-0", func(h *opening.Header) { h.Role = "witness" }, mail("x")),
			"class that this pool does not take":     w.observe("org-0", nil, tag{selector.Phone, "p"}),
			"another pool or epoch":                  w.observe("org-0", func(h *opening.Header) { h.Epoch = "2025-11" }, mail("x")),
			"opening rule is not in the manifest":    w.observe("org-0", func(h *opening.Header) { h.Rule[0] ^= 1 }, mail("x")),
			"manifest version 3":                     w.observe("org-0", func(h *opening.Header) { h.Manifest = 3 }, mail("x")),
			"tag 1 has expired":                      w.observe("org-0", func(h *opening.Header) { h.Tags[0].Expires = start.UnixMicro() }, mail("x")),
			"tag 2 is there twice":                   w.observe("org-0", nil, mail("x"), mail("x")),
			"outlives the keys of this epoch":        w.observe("org-0", func(h *opening.Header) { h.Tags[0].Expires = w.man.KeysEnd + 1 }, mail("x")),
			"statistics part that is not there":      w.observe("org-0", func(h *opening.Header) { h.Statistics[0] = 1 }, mail("x")),
			"or the week of the evidence is not":     w.observe("org-0", func(h *opening.Header) { h.Kind = "free text here" }, mail("x")),
		}
		for want, bad := range cases {
			_, err := w.send("org-0", good, bad)
			ls := lines(t, err)
			if len(ls) != 1 || ls[0].Line != 2 || !strings.Contains(ls[0].Detail, want) {
				t.Errorf("%s: %+v", want, ls)
			}
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: kind %v", want, fault.KindOf(err))
			}
		}
		req := w.batch("org-0", good)
		req.Sig = w.batch("org-1", good).Sig
		if _, err := w.pool.Contribute(context.Background(), w.man, scope.Of("org-0"), req); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a batch signed by another: %v", err)
		}
		req = w.batch("org-0", good)
		req.Observations = append(req.Observations, w.observe("org-0", nil, mail("more")))
		if _, err := w.pool.Contribute(context.Background(), w.man, scope.Of("org-0"), req); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an observation that the root does not cover: %v", err)
		}
		req = w.batch("org-0", good)
		label, err := good.Observation.Label()
		must(t, err)
		req.Observations[0].Observation.KEM, err = sealtest.Forge("pool", "2026-11", label) // swapped on the way
		must(t, err)
		if _, err := w.pool.Contribute(context.Background(), w.man, scope.Of("org-0"), req); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "root") {
			t.Errorf("an encapsulation that the root does not cover: %v", err)
		}
		if _, err := w.pool.Contribute(context.Background(), w.man, scope.Of("stranger"), req); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a stranger: %v", err)
		}
		w.log.fail = errors.New("disk full")
		if _, err := w.send("org-0", good); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("no log, no receipt: %v", err)
		}
		for _, table := range []string{"pool_batch", "pool_batch_leaf", "pool_observation", "pool_obs_tag", "pool_touched"} {
			if n := w.count(table); n != 0 {
				t.Errorf("%s holds %d rows after refusals", table, n)
			}
		}
	})
}

// What a contributor gets must not depend on what others contributed.
func TestContributorsAreBlind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		random := regexp.MustCompile(`"(root|commitment|ticket)":"[^"]*"`)
		answer := func(org string) string {
			o, err := w.send(org, w.observe(org, nil, mail("shared"), mail("own of "+org)))
			must(t, err)
			return strings.ReplaceAll(random.ReplaceAllString(string(o.Body), `"$1":"*"`), org, "ORG")
		}
		alone := answer("org-0")
		w.link()
		for _, org := range []string{"org-1", "org-2", "org-0"} {
			if got := answer(org); got != alone {
				t.Errorf("the receipt differs once others are there:\n%s\n%s", alone, got)
			}
			w.link()
		}
		// A withdrawal of a stranger's observation answers like one's own.
		theirs, mine := w.put("org-1", mail("a")), w.put("org-2", mail("a"))
		for _, l := range []seal.Label{theirs, mine, {1}} {
			o, err := w.withdraw("org-2", l)
			must(t, err)
			if got := strings.ReplaceAll(random.ReplaceAllString(string(o.Body), `"$1":"*"`), "org-2", "ORG"); got != alone {
				t.Errorf("the withdrawal's receipt differs:\n%s\n%s", alone, got)
			}
		}
		items, err := w.pool.Items(context.Background(), []seal.Label{theirs, mine})
		must(t, err)
		if !items[0].Live || items[1].Live {
			t.Error("a member must withdraw its own observations and no others")
		}
	})
}

// Taking a batch leaves every row alone that the linking job owns.
func TestIngestWritesNoSharedRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.put("org-0", mail("x"))
		for _, table := range []string{"pool_contrib", "pool_token_sum", "pool_cluster"} {
			if n := w.count(table); n != 0 {
				t.Errorf("%s has %d rows before the job ran", table, n)
			}
		}
		w.put("org-1", mail("x"))
		w.put("org-1", mail("x"))
		w.link()
		if c, s, q := w.count("pool_contrib"), w.count("pool_token_sum WHERE orgs = 2 AND observations = 3 AND score = 4"), w.count("pool_touched"); c != 2 || s != 1 || q != 0 {
			t.Errorf("%d contributions, %d sums, %d left to do", c, s, q)
		}
	})
}

func TestWithdrawalSplitsAClusterAndEmptiesTheBox(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, bridge, b := w.put("org-0", mail("x")), w.put("org-1", mail("x"), mail("y")), w.put("org-2", mail("y"))
		if c := w.link(); c[a] != c[b] || c[a] != c[bridge] {
			t.Fatal("the bridge must join both sides")
		}
		_, err := w.withdraw("org-1", bridge)
		must(t, err)
		c := w.link()
		if _, there := c[bridge]; there || c[a] == c[b] || len(c) != 2 {
			t.Errorf("after the withdrawal: %d observations indexed, joined: %v", len(c), c[a] == c[b])
		}
		items, err := w.pool.Items(context.Background(), []seal.Label{bridge})
		must(t, err)
		if items[0].Live || len(items[0].Box) != 0 {
			t.Error("a withdrawn observation must be empty")
		}
	})
}

func TestWithdrawnObservationDoesNotComeBack(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c := w.observe("org-0", nil, mail("x"))
	_, err := w.withdraw("org-0", labelsOf(t, []client.Contributed{c})[0])
	must(t, err)
	_, err = w.send("org-0", c)
	if ls := lines(t, err); len(ls) != 1 || ls[0].Line != 1 {
		t.Errorf("%+v", ls)
	}
}

func TestTagsExpireEachByItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		c := w.observe("org-0", func(h *opening.Header) { h.Tags[0].Expires = start.Add(time.Hour).UnixMicro() }, mail("short"), mail("long"))
		_, err := w.send("org-0", c)
		must(t, err)
		l := labelsOf(t, []client.Contributed{c})[0]
		other := w.put("org-1", mail("short"))
		if m := w.link(); m[l] != m[other] {
			t.Fatal("not joined")
		}
		w.clock.Advance(2 * time.Hour)
		must(t, w.pool.Expire(context.Background(), w.clock.Now()))
		if m := w.link(); m[l] == m[other] || len(m) != 2 {
			t.Error("an expired tag must not link")
		}
		w.clock.Set(start.AddDate(0, 7, 0))
		must(t, w.pool.Expire(context.Background(), w.clock.Now()))
		if m := w.link(); len(m) != 0 || w.count("pool_token_sum") != 0 || w.count("pool_contrib") != 0 {
			t.Error("what has expired must leave the index")
		}
	})
}

// reference is the index by brute force: join every two live observations that
// share a person tag of frequency up to the limit, until nothing changes.
func reference(live map[seal.Label][]string, limit int) map[seal.Label]seal.Label {
	count := map[string]int{}
	for _, tags := range live {
		for _, t := range tags {
			count[t]++
		}
	}
	out := map[seal.Label]seal.Label{}
	for l := range live {
		out[l] = l
	}
	for changed := true; changed; {
		changed = false
		for a, ta := range live {
			for b, tb := range live {
				for _, x := range ta {
					for _, y := range tb {
						if x == y && count[x] <= limit && out[a].String() < out[b].String() {
							out[b], changed = out[a], true
						}
					}
				}
			}
		}
	}
	return out
}

// The job, run in small steps after random changes, agrees with brute force.
func TestLinkingAgainstReference(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx := context.Background()
	rapid.Check(t, func(r *rapid.T) {
		must(t, w.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			for _, table := range []string{"pool_obs_tag", "pool_touched", "pool_cluster", "pool_contrib", "pool_token_sum"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
					return err
				}
			}
			return nil
		}))
		live := map[seal.Label][]string{}
		var known []seal.Label
		next := 0
		for range rapid.IntRange(1, 6).Draw(r, "runs") {
			for range rapid.IntRange(0, 30).Draw(r, "changes") {
				if len(known) > 0 && rapid.IntRange(0, 4).Draw(r, "remove") == 0 {
					i := rapid.IntRange(0, len(known)-1).Draw(r, "which")
					must(t, removeRow(ctx, w.db, known[i]))
					delete(live, known[i])
					known = append(known[:i], known[i+1:]...)
					continue
				}
				next++
				l := seal.Label{byte(rapid.IntRange(0, 255).Draw(r, "label")), byte(next), byte(next >> 8)}
				tags := map[string]bool{}
				for range rapid.IntRange(1, 3).Draw(r, "tags") {
					tags[fmt.Sprintf("tag-%012d", rapid.IntRange(0, 12).Draw(r, "tag")*rapid.IntRange(0, 4).Draw(r, "spread"))] = true
				}
				for x := range tags {
					live[l] = append(live[l], x)
				}
				sort.Strings(live[l])
				must(t, addRow(ctx, w.db, l, live[l]))
				known = append(known, l)
			}
			limit := rapid.IntRange(1, 40).Draw(r, "tags per run")
			for left := true; left; {
				var err error
				if left, err = w.pool.linkSome(ctx, "e", limit); err != nil {
					t.Fatal(err)
				}
			}
			got, err := w.pool.Clusters(ctx)
			must(t, err)
			want := reference(live, FrequencyCap)
			if len(got) != len(want) {
				r.Fatalf("%d indexed, want %d", len(got), len(want))
			}
			for l, c := range want {
				if got[l] != c {
					r.Fatalf("%s is in %s, want %s", l, got[l], c)
				}
			}
		}
	})
}

func addRow(ctx context.Context, db *store.DB, l seal.Label, tags []string) error {
	return db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		var rows, touched [][]any
		for _, x := range tags {
			rows = append(rows, []any{[]byte(x), l[:], "org", true, int64(1), "2026-W44", int64(1)})
			touched = append(touched, []any{[]byte(x), l[:]})
		}
		return errors.Join(insertRows(ctx, tx, "pool_obs_tag (tag, label, org, person, weight, week, expires)", rows),
			insertRows(ctx, tx, "pool_touched (tag, label)", touched))
	})
}

func removeRow(ctx context.Context, db *store.DB, l seal.Label) error {
	return db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return end(ctx, tx, [][]byte{l[:]}, "withdrawn", start)
	})
}

func TestObjectTagsJoinNobody(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.put("org-0", tag{selector.URL, "u"})
	w.put("org-1", tag{selector.URL, "u"})
	if c := w.link(); len(c) != 0 {
		t.Errorf("%d observations joined through an object", len(c))
	}
	if w.count("pool_token_sum WHERE orgs = 2") != 1 {
		t.Error("object tags count in the summary all the same")
	}
}

// A round that must stop takes up the rest at the next: in the end the index is
// the same as after one that goes on to the end.
func TestLinkingStopsAndGoesOn(t *testing.T) {
	ctx := context.Background()
	index := func(more func() bool) (map[seal.Label]seal.Label, int) {
		w := newWorld(t, storetest.SQLite(t))
		var rows, touched [][]any
		for i := range 3 * tagsPerRun {
			l := seal.Label{byte(i), byte(i >> 8), 1}
			x := oprf.Tag{byte(i), byte(i >> 9), 7} // two to four observations a tag
			rows = append(rows, []any{x[:], l[:], "org", true, int64(1), "2026-W44", int64(1)})
			touched = append(touched, []any{x[:], l[:]})
		}
		must(t, w.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(insertRows(ctx, tx, "pool_obs_tag (tag, label, org, person, weight, week, expires)", rows),
				insertRows(ctx, tx, "pool_touched (tag, label)", touched))
		}))
		rounds := 0
		for w.count("pool_touched") > 0 {
			must(t, w.pool.Link(ctx, "e", more))
			rounds++
		}
		out, err := w.pool.Clusters(ctx)
		must(t, err)
		return out, rounds
	}
	whole, once := index(nil)
	parts, many := index(func() bool { return false })
	if once != 1 || many < 2 || len(whole) == 0 || !maps.Equal(whole, parts) {
		t.Errorf("%d and %d rounds, %d and %d observations in the index", once, many, len(whole), len(parts))
	}
}

func BenchmarkLink(b *testing.B) {
	w := newWorld(b, storetest.SQLite(b))
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	var rows, touched [][]any
	for i := range 10_000 {
		l := seal.Label{byte(i), byte(i >> 8), 1}
		x := oprf.Tag{byte(rng.IntN(256)), byte(rng.IntN(64)), 7}
		rows = append(rows, []any{x[:], l[:], "org", true, int64(1), "2026-W44", int64(1)})
		touched = append(touched, []any{x[:], l[:]})
	}
	sortRows(rows)
	sortRows(touched)
	b.ResetTimer()
	for range b.N {
		must(b, w.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(insertRows(ctx, tx, "pool_obs_tag (tag, label, org, person, weight, week, expires)", rows),
				insertRows(ctx, tx, "pool_touched (tag, label)", touched))
		}))
		must(b, w.pool.Link(ctx, "e", nil))
	}
}
