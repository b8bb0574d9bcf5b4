package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
)

// committee is a hub before its ceremony and three holders whose keys the test
// has.
type committee struct {
	t     *testing.T
	hub   *Server
	plan  client.Plan
	board *client.Board
	sign  [3]ed25519.PrivateKey
	hpke  [3][]byte
}

func newCommittee(t *testing.T, db *store.DB) *committee {
	t.Helper()
	c := &committee{t: t}
	front := http.NewServeMux()
	srv := httptest.NewServer(front)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	card, err := Init(dir, "hub", "Operator", srv.URL, "", rand.Reader)
	must(t, err)
	key := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		return k
	}
	c.plan = client.Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email}, Hub: card,
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: pub(key())}, {ID: "gov-2", Entity: "Court", Key: pub(key())}}}}
	for i := range 3 {
		private, public, err := seal.GenerateHPKE()
		must(t, err)
		c.sign[i], c.hpke[i] = key(), private
		c.plan.Holders = append(c.plan.Holders, opening.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), Entity: fmt.Sprint("Body ", i+1),
			Key: pub(c.sign[i]), HPKE: public, Witness: pub(key())})
	}
	who, err := LoadIdentity(dir)
	must(t, err)
	keys, list := records(t, dir, clock.Manual(start))
	c.hub, err = Open(context.Background(), Options{DB: db, Keys: keys, Deletions: list, Identity: who, Plan: c.plan, Demo: true, LeavesPerTick: 4, Clock: clock.Manual(start), Log: quiet()})
	must(t, err)
	front.Handle("/", c.hub.Handler())
	c.board = client.NewBoard(srv.URL, "pool", "2026-11", http.DefaultClient)
	return c
}

func (c *committee) party(attempt, index int) *dkg.Party {
	c.t.Helper()
	params, err := c.plan.Attempt(attempt)
	must(c.t, err)
	p, err := dkg.New(params, index, c.sign[index-1], c.hpke[index-1], rand.Reader)
	must(c.t, err)
	return p
}

func (c *committee) first(attempt, index int) []byte {
	c.t.Helper()
	m, err := c.party(attempt, index).Round1()
	must(c.t, err)
	return m
}

func (c *committee) statement(attempt, by int, key ed25519.PrivateKey, cause error) []byte {
	c.t.Helper()
	params, err := c.plan.Attempt(attempt)
	must(c.t, err)
	raw, err := dkg.SignAbort(params, by, key, cause, nil)
	must(c.t, err)
	return raw
}

// run plays a whole attempt over the board and gives the transcript.
func (c *committee) run(attempt int) dkg.Transcript {
	c.t.Helper()
	ctx := context.Background()
	var parties [3]*dkg.Party
	for i := range parties {
		parties[i] = c.party(attempt, i+1)
	}
	steps := []func(*dkg.Party, [][]byte) ([]byte, error){
		func(p *dkg.Party, _ [][]byte) ([]byte, error) { return p.Round1() },
		(*dkg.Party).Round2, (*dkg.Party).Round3, (*dkg.Party).Round4,
	}
	var last [][]byte
	for round, step := range steps {
		for i, p := range parties {
			m, err := step(p, last)
			must(c.t, err)
			must(c.t, c.board.Post(ctx, attempt, round+1, i+1, m))
		}
		all, err := c.board.Round(ctx, attempt, round+1)
		must(c.t, err)
		last = all
	}
	res, err := parties[0].Finish(last)
	must(c.t, err)
	return res.Transcript
}

// A stranger cannot spoil a ceremony: a place takes only what its holder signed
// for exactly this place, once.
func TestBoardTakesWhatItsHoldersSign(t *testing.T) {
	c := newCommittee(t, storetest.SQLite(t))
	ctx := context.Background()
	mine := c.first(1, 1)
	for name, refused := range map[string]struct {
		err  error
		want int
	}{
		"a stranger's bytes":     {c.board.Post(ctx, 1, 1, 1, []byte("x")), http.StatusForbidden},
		"another holder's":       {c.board.Post(ctx, 1, 1, 1, c.first(1, 2)), http.StatusForbidden},
		"another round's":        {c.board.Post(ctx, 1, 2, 1, mine), http.StatusForbidden},
		"another attempt's":      {c.board.Post(ctx, 1, 1, 1, c.first(2, 1)), http.StatusForbidden},
		"an attempt not open":    {c.board.Post(ctx, 2, 1, 1, c.first(2, 1)), http.StatusConflict},
		"no round":               {c.board.Post(ctx, 1, 5, 1, mine), http.StatusNotFound},
		"no holder":              {c.board.Post(ctx, 1, 1, 4, mine), http.StatusNotFound},
		"no attempt":             {c.board.Post(ctx, 0, 1, 1, mine), http.StatusNotFound},
		"an empty transcript":    {c.board.PostTranscript(ctx, dkg.Transcript{}), http.StatusBadRequest},
		"a stranger's abort":     {c.board.Abort(ctx, 1, c.statement(1, 1, c.sign[1], errors.New("x"))), http.StatusForbidden},
		"another attempt's end":  {c.board.Abort(ctx, 1, c.statement(2, 1, c.sign[0], errors.New("x"))), http.StatusForbidden},
		"the end of one to come": {c.board.Abort(ctx, 2, c.statement(2, 1, c.sign[0], errors.New("x"))), http.StatusConflict},
	} {
		if status(refused.err) != refused.want {
			t.Errorf("%s: %v, want %d", name, refused.err, refused.want)
		}
	}
	must(t, c.board.Post(ctx, 1, 1, 1, mine))
	must(t, c.board.Post(ctx, 1, 1, 1, mine))
	if err := c.board.Post(ctx, 1, 1, 1, c.first(1, 1)); status(err) != http.StatusConflict {
		t.Errorf("a second message of one holder: %v", err)
	}
	if all, err := c.board.Round(ctx, 1, 1); err != nil || len(all) != 3 || string(all[0]) != string(mine) || len(all[1]) != 0 {
		t.Errorf("the round: %d messages, %v", len(all), err)
	}
}

// An attempt that a holder ended is closed and in the log; the next one runs
// under the same plan, and after its transcript nothing is ended any more.
func TestAnEndedAttemptIsFollowedByTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCommittee(t, db)
		ctx := context.Background()
		must(t, c.board.Post(ctx, 1, 1, 1, c.first(1, 1)))
		said := c.statement(1, 1, c.sign[0], &dkg.Fault{Index: 3, Reason: "silent in round 1"})
		must(t, c.board.Abort(ctx, 1, said))
		must(t, c.board.Abort(ctx, 1, said))
		must(t, c.board.Abort(ctx, 1, c.statement(1, 2, c.sign[1], &dkg.Fault{Index: 3, Reason: "silent in round 1"})))
		if st, err := c.board.State(ctx); err != nil || st.Attempt != 2 || st.Done {
			t.Fatalf("after the end: %+v, %v", st, err)
		}
		if _, err := c.board.Round(ctx, 1, 1); status(err) != http.StatusConflict {
			t.Errorf("reading an ended attempt: %v", err)
		}
		all, err := c.board.Aborts(ctx, 1)
		if err != nil || len(all) != 2 || string(all[0]) != string(said) {
			t.Errorf("%d statements, %v", len(all), err)
		}
		must(t, c.hub.tlog.Tick(ctx))
		entries, err := c.hub.tlog.Entries(ctx, 1<<40, 10)
		must(t, err)
		ended := 0
		for _, e := range entries {
			if e.Kind == "ceremony-abort" {
				ended++
			}
		}
		if ended != 2 {
			t.Errorf("the log has %d of 2 statements", ended)
		}
		tr := c.run(2)
		must(t, c.board.PostTranscript(ctx, tr))
		if st, err := c.board.State(ctx); err != nil || !st.Done {
			t.Errorf("after the transcript: %+v, %v", st, err)
		}
		if err := c.board.Abort(ctx, 2, c.statement(2, 1, c.sign[0], errors.New("x"))); status(err) != http.StatusConflict {
			t.Errorf("ending a finished ceremony: %v", err)
		}
		other := client.Setup{Plan: c.plan, Transcript: tr}
		other.Plan.Holders = slices.Clone(c.plan.Holders)
		other.Plan.Holders[0].URL = "http://elsewhere"
		if other.Verify(opening.Hash(tr.Hash())) == nil {
			t.Error("the transcript fits another plan")
		}
	})
}

// A transcript of an attempt that was ended meanwhile is not taken: its holders
// may have given up their shares.
func TestATranscriptOfAnEndedAttemptIsRefused(t *testing.T) {
	c := newCommittee(t, storetest.SQLite(t))
	tr := c.run(1)
	must(t, c.board.Abort(context.Background(), 1, c.statement(1, 2, c.sign[1], errors.New("x"))))
	if err := c.board.PostTranscript(context.Background(), tr); status(err) != http.StatusConflict {
		t.Errorf("the transcript of an ended attempt: %v", err)
	}
}
