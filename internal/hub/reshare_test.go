package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/internal/keyholder"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// order is a refresh of the committee in force, signed by two governors.
func (w *world) order(change func(*client.ReshareOrder)) client.SignedOrder {
	w.t.Helper()
	return w.orderBy(change, "gov-1", "gov-3")
}

func (w *world) orderBy(change func(*client.ReshareOrder), governors ...string) client.SignedOrder {
	w.t.Helper()
	w.refetch()
	now := w.setup.Committee()
	o := client.ReshareOrder{Pool: "pool", Epoch: "2026-11", Generation: now.Generation + 1, Attempt: 1, Previous: now.Record,
		Dealers: []int{1, 2}, T: now.T, N: now.N, Holders: slices.Clone(now.Holders), Reason: "an exercise",
		Issued: w.clock.Now().UnixMicro(), Expires: w.clock.Now().AddDate(0, 0, 7).UnixMicro()}
	if change != nil {
		change(&o)
	}
	so, err := client.SignOrder(o)
	must(w.t, err)
	for _, g := range governors {
		so.Add(g, w.keys[g])
	}
	return so
}

func (w *world) sendOrder(o client.SignedOrder) error {
	return client.PostOrder(context.Background(), http.DefaultClient, w.url, o)
}

// refetch is what a desk does that joins again: the pin stays.
func (w *world) refetch() {
	w.t.Helper()
	pin := opening.Hash(w.setup.Transcript.Hash())
	w.setup = client.Setup{}
	must(w.t, client.Get(context.Background(), http.DefaultClient, w.url+client.PathTranscript, &w.setup))
	must(w.t, w.setup.Verify(pin))
	m, err := w.setup.Fit(w.man)
	must(w.t, err)
	w.man = m
}

// pass lets holders look at the board once, in order, and gives what they say.
func (w *world) pass(holders ...int) (said []string) {
	w.t.Helper()
	for _, i := range holders {
		text, err := w.holders[i-1].Reshare(context.Background(), client.NewReshareBoard(w.url, http.DefaultClient))
		if err != nil {
			text = "error: " + err.Error()
		}
		said = append(said, text)
	}
	return said
}

// possession asks the holders for the possession key of an address.
func (w *world) possession(setup client.Setup, address, seed string) (opening.Hash, error) {
	w.t.Helper()
	m := w.member("bank-a")
	m.Setup = setup
	forms, err := selector.Normalise(selector.Email, address, selector.Hint{})
	must(w.t, err)
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(seed)), Time: w.clock.Now().UnixMicro(), Basis: "basis-1"}
	b.Inputs = append(b.Inputs, forms[0].Input())
	must(w.t, m.Prepare(&b))
	keys, err := m.Tokenise(context.Background(), &b)
	if err != nil {
		return opening.Hash{}, err
	}
	pk := keys[0].Public()
	return opening.Digest(pk[:]), nil
}

func (w *world) view() client.ReshareView {
	w.t.Helper()
	v, err := client.NewReshareBoard(w.url, http.DefaultClient).View(context.Background())
	must(w.t, err)
	return v
}

// shareIn reads the payload share that lies in a holder's directory.
func shareIn(t *testing.T, dir string) group.Share {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "shares.json"))
	must(t, err)
	var f struct {
		Index  int
		Shares map[string][]byte
	}
	must(t, json.Unmarshal(raw, &f))
	s, err := group.ShareFromBytes(f.Index, f.Shares[client.PayloadLabel])
	must(t, err)
	return s
}

// Two holders deal, all three get new shares, then one whose disk is gone is
// replaced by another body. Tags stay what they were, an opening that two
// holders had still to answer is released and read, no mixture of old and new
// shares opens anything, and the log has each step.
func TestRefreshThenReplaceALostHolder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.tick(time.Minute)
		labels := w.threeOrgs("someone@example.org")
		w.tick(time.Minute)
		w.tick(2 * time.Hour)
		id, req, err := w.request(w.leads()[0], nil)
		must(t, err)
		for _, who := range []string{"officer", "overseer"} {
			_, err = w.approve(who, id, req)
			must(t, err)
		}
		w.tick(time.Minute)
		before, first := w.setup, w.tag(w.setup, "before")
		old := shareIn(t, w.dirs[0])

		must(t, w.sendOrder(w.order(nil)))
		must(t, w.sendOrder(w.order(nil))) // again changes nothing
		w.refreshed(1)
		if got := shareIn(t, w.dirs[0]); got.PublicPoint() == old.PublicPoint() {
			t.Error("holder 1 has its old share")
		}
		var moved *client.OtherGeneration
		if _, err := w.possession(before, "someone@example.org", "stale"); !errors.As(err, &moved) || moved.Theirs != 1 || moved.Ours != 0 {
			t.Errorf("with the points of before: %v", err)
		}
		w.refetch()
		if w.tag(w.setup, "between") != first {
			t.Error("the tag changed with the refresh")
		}

		// holder-3's disk is gone; another body takes its place.
		card, dir, mux := newHolder(t, 3, "holder-4")
		must(t, keyholder.Join(dir, w.setup, opening.Hash(w.setup.Transcript.Hash())))
		w.serve(dir, mux)
		so := w.order(func(o *client.ReshareOrder) { o.Holders[2] = card })
		must(t, w.sendOrder(so))
		if said := w.pass(1, 2, 4); !strings.Contains(said[0], "waits for this holder's operator") || strings.Contains(strings.Join(said, ""), "error") {
			t.Fatalf("without the operators' word: %q", said)
		}
		if v := w.view(); len(v.Open.Deals[0])+len(v.Open.Deals[1]) > 0 {
			t.Fatal("a dealer dealt to a new body without its operator's word")
		}
		for _, i := range []int{1, 2, 4} {
			must(t, keyholder.Consent(w.dirs[i-1], so))
		}
		w.pass(1, 2, 4)
		w.pass(1)
		w.pass(2) // the second dealer
		other, _ := w.contribute("bank-a", "elsewhere@example.org", "report", nil)
		_, err = w.correct(opening.DenyFreeze, "bank-a", client.PathCorrect, other)
		must(t, err)
		w.tick(0) // the freeze reaches the old holders, after the dealers have dealt
		w.pass(1, 2, 4)
		w.pass(1, 2, 4)
		w.pass(1, 2, 4)
		w.refetch()
		if c := w.setup.Committee(); c.Generation != 2 || c.Holders[2].ID != "holder-4" {
			t.Fatalf("after the second run: %+v", c)
		}
		if w.tag(w.setup, "after") != first {
			t.Error("the tag changed with the replacement")
		}
		w.noMixtureOpens(old, w.dirs[1])
		w.tick(time.Minute)
		if frozen, _ := w.holders[3].Frozen(); frozen != 1 {
			t.Errorf("the new holder keeps %d freezes of 1", frozen)
		}
		w.tick(2 * time.Hour)
		w.tick(time.Minute)
		if o := w.opening(id); o.State != "released" {
			t.Fatalf("the opening that waited: %+v", o)
		}
		w.read(t, id, req, labels)
		w.logged(map[string]int{logReshareOrder: 2, logReshared: 2, logDestroyed: 5, logReshareEnded: 0})
		m := w.man
		m.Version, m.Previous = 2, opening.Digest(w.signManifest(w.first, "gov-1").Body)
		list := client.Manifests{Manifests: []opening.SignedManifest{w.signManifest(m, "gov-1", "gov-2")}}
		for _, url := range []string{w.url, card.URL, w.man.Holders[0].URL} { // lists the new committee
			must(t, client.Post(context.Background(), http.DefaultClient, url+client.PathManifest, list, nil))
		}
		if st, err := w.hub.Status(context.Background()); err != nil || st.Generation != 2 {
			t.Errorf("status: %+v, %v", st, err)
		}
	})
}

func (w *world) tag(setup client.Setup, seed string) opening.Hash {
	w.t.Helper()
	h, err := w.possession(setup, "someone@example.org", seed)
	must(w.t, err)
	return h
}

// refreshed lets three holders take a run to its end.
func (w *world) refreshed(generation int) {
	w.t.Helper()
	var said []string
	for range 5 { // keys, deals, words, the switch, the statements
		said = w.pass(1, 2, 3)
	}
	for i, h := range w.holders[:3] {
		if st := h.Status(); st.Generation != generation {
			w.t.Fatalf("holder %d is at generation %d: %q", i+1, st.Generation, said)
		}
	}
	w.refetch()
}

// noMixtureOpens: a thief with one holder's share of the ceremony and another's
// of today has nothing.
func (w *world) noMixtureOpens(old group.Share, dir string) {
	w.t.Helper()
	c, label := w.draft("bank-b", "other@example.org", "report", nil)
	pub, err := w.setup.PublicKey(client.PayloadLabel)
	must(w.t, err)
	pub.Holders = slices.Clone(pub.Holders)
	var parts []seal.Partial
	for _, s := range []group.Share{old, shareIn(w.t, dir)} {
		p, err := seal.Decrypt(s, "pool", "2026-11", c.Observation.KEM, label, rand.Reader)
		must(w.t, err)
		parts = append(parts, p)
		pub.Holders[s.Index-1] = s.PublicPoint()
	}
	if _, err := seal.Open(pub, "pool", "2026-11", c.Observation.Header, seal.Sealed{KEM: c.Observation.KEM, Box: c.Box}, parts); !errors.Is(err, seal.ErrBox) {
		w.t.Errorf("an old share and a new one open an observation together: %v", err)
	}
}

// logged counts the entries of each kind.
func (w *world) logged(want map[string]int) {
	w.t.Helper()
	for range 4 { // a tick takes 8 leaves
		must(w.t, w.hub.tlog.Tick(context.Background()))
	}
	entries, err := w.hub.tlog.Entries(context.Background(), 1<<40, 1000)
	must(w.t, err)
	got := map[string]int{}
	for _, e := range entries {
		got[e.Kind]++
	}
	for kind, n := range want {
		if got[kind] != n {
			w.t.Errorf("the log has %d entries %s, want %d", got[kind], kind, n)
		}
	}
}

// catcher shows a holder the hub's board and keeps what it would post.
type catcher struct {
	*client.ReshareBoard
	posted [][]byte
}

// Post keeps the message to itself.
func (c *catcher) Post(_ context.Context, _ opening.Hash, _ string, _ int, message []byte) error {
	c.posted = append(c.posted, message)
	return nil
}

// twin is a second copy of a holder's directory, as a thief or a careless
// restore would run it.
func (w *world) twin(dir string) *keyholder.Server {
	w.t.Helper()
	to := w.t.TempDir()
	for _, name := range []string{"identity.json", "shares.json", "journal.jsonl"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		must(w.t, err)
		must(w.t, os.WriteFile(filepath.Join(to, name), raw, 0o600))
	}
	h, err := keyholder.Open(keyholder.Options{Dir: to, Demo: true, Clock: w.clock, Log: quiet()})
	must(w.t, err)
	w.t.Cleanup(func() { h.Close() })
	return h
}

// The board takes an order with its quorum only, and one after the other; a
// place takes only what its party signed for exactly this place, once. A
// complaint ends the attempt, is in the log with its reason, and the next order
// makes another attempt, also after the hub was started again.
func TestTheReshareBoardTakesWhatItsPartiesSign(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var options Options
		w := newWorldWith(t, db, func(o *Options) { options = *o })
		board := client.NewReshareBoard(w.url, http.DefaultClient)
		ctx := context.Background()
		for name, x := range map[string]struct {
			o    client.SignedOrder
			want int
		}{
			"one governor":      {w.orderBy(nil, "gov-1"), http.StatusForbidden},
			"a stranger":        {w.orderBy(nil, "gov-1", "stranger"), http.StatusForbidden},
			"a skipped attempt": {w.order(func(o *client.ReshareOrder) { o.Attempt = 2 }), http.StatusConflict},
			"expired":           {w.order(func(o *client.ReshareOrder) { o.Issued, o.Expires = 1, 2 }), http.StatusForbidden},
			"a skipped one":     {w.order(func(o *client.ReshareOrder) { o.Generation = 2 }), http.StatusForbidden},
			"with the operator": {w.order(func(o *client.ReshareOrder) { o.Holders[0].Entity = "Operator" }), http.StatusForbidden},
			"an approver's key": {w.order(func(o *client.ReshareOrder) { o.Holders[0].Key = pub(w.keys["officer"]) }), http.StatusForbidden},
		} {
			if err := w.sendOrder(x.o); status(err) != x.want {
				t.Errorf("%s: %v, want %d", name, err, x.want)
			}
		}
		so := w.order(nil)
		must(t, w.sendOrder(so))
		if err := w.sendOrder(w.order(func(o *client.ReshareOrder) { o.Reason = "another" })); status(err) != http.StatusConflict {
			t.Errorf("a second order for one attempt: %v", err)
		}
		thief, twin := &catcher{ReshareBoard: board}, w.twin(w.dirs[0])
		_, err := twin.Reshare(ctx, thief) // makes a key of its own
		must(t, err)
		w.pass(1)
		if _, err := twin.Reshare(ctx, thief); err == nil || !strings.Contains(err.Error(), "another key in this holder's name") {
			t.Errorf("a copy of a holder beside it: %v", err)
		}
		if err := board.Post(ctx, so.Digest(), client.StepDeal, 1, []byte("early")); status(err) != http.StatusConflict {
			t.Errorf("a deal before all keys: %v", err)
		}
		w.pass(2, 3, 1)
		deal := w.view().Open.Deals[0]
		post := func(order opening.Hash, step string, place int, m []byte) error {
			return board.Post(ctx, order, step, place, m)
		}
		for name, x := range map[string]struct {
			err  error
			want int
		}{
			"another's place":          {post(so.Digest(), client.StepDeal, 2, deal), http.StatusForbidden},
			"a word":                   {post(so.Digest(), client.StepTake, 1, deal), http.StatusForbidden},
			"noise":                    {post(so.Digest(), client.StepDeal, 2, []byte("noise")), http.StatusForbidden},
			"no place":                 {post(so.Digest(), client.StepDeal, 3, deal), http.StatusNotFound},
			"no step":                  {post(so.Digest(), "vote", 1, deal), http.StatusNotFound},
			"another order":            {post(opening.Hash{1}, client.StepDeal, 1, deal), http.StatusConflict},
			"a second key":             {post(so.Digest(), client.StepKey, 1, thief.posted[0]), http.StatusConflict},
			"another's key":            {post(so.Digest(), client.StepKey, 2, thief.posted[0]), http.StatusForbidden},
			"the same once more":       {post(so.Digest(), client.StepDeal, 1, deal), 0},
			"a share that is in force": {board.Destroyed(ctx, 0, 1, signed.Object{}), http.StatusForbidden},
		} {
			if status(x.err) != x.want {
				t.Errorf("%s: %v, want %d", name, x.err, x.want)
			}
		}

		who, err := keyholder.LoadIdentity(w.dirs[2])
		must(t, err)
		_, params, _, _, err := w.setup.Params(*w.view().Open)
		must(t, err)
		word, err := dkg.Reshared{Run: params}.Complain(3, ed25519.NewKeyFromSeed(who.Sign), &dkg.ReshareFault{ID: "holder-1", Reason: "an exercise"})
		must(t, err)
		must(t, post(so.Digest(), client.StepTake, 3, word))
		p, err := w.setup.Progress(*w.view().Open)
		must(t, err)
		if !strings.Contains(p.Ended, "holder-3 complains") || !strings.Contains(p.Ended, "key holder holder-1") {
			t.Errorf("the attempt: %+v", p)
		}
		must(t, w.sendOrder(w.order(func(o *client.ReshareOrder) { o.Attempt, o.Dealers = 2, []int{2, 3} })))
		w.refreshed(1)
		w.logged(map[string]int{logReshareOrder: 2, logReshareEnded: 1, logReshared: 1, logDestroyed: 3})
		again, err := Open(ctx, options)
		must(t, err)
		if st, err := again.Status(ctx); err != nil || st.Generation != 1 {
			t.Errorf("after a restart: %+v, %v", st, err)
		}
		if s, err := again.state.setup(); err != nil || s.Verify(w.setup.Transcript.Hash()) != nil || len(s.Reshares) != 1 {
			t.Errorf("after a restart the setup does not verify: %v", err)
		}
	})
}
