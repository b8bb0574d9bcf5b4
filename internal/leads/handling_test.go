package leads

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// court is a hub with one released opening of three observations, of org-0 to
// org-2, and the keys of its approvers.
type court struct {
	t      *testing.T
	ctx    context.Context
	s      *Service
	man    opening.Manifest
	keys   map[string]ed25519.PrivateKey
	clock  *clock.ManualClock
	log    *courtLog
	route  *routes
	o      openingRow
	steps  int
	before opening.Hash
}

// courtPool gives the items of the opening.
type courtPool struct {
	fakePool
	items []pool.Stored
}

func (p *courtPool) Items(context.Context, []seal.Label) ([]pool.Stored, error) { return p.items, nil }

type courtLog struct {
	fakeLog
	logged bool
}

func (l *courtLog) Logged(context.Context, string) (bool, error) { return l.logged, nil }

// routes rules by a list of gateway decisions and recipients.
type routes struct {
	yes   map[string]string // decision: to whom
	err   error
	asked []Flow
}

func (r *routes) Lawful(_ context.Context, _ *store.Tx, f Flow) (Ruling, error) {
	r.asked = append(r.asked, f)
	switch {
	case r.err != nil:
		return Ruling{}, r.err
	case slices.Contains(f.Provenance, "smr-derived"):
		return Ruling{}, fault.New(fault.Forbidden, "not what stems from a report of suspicion")
	case r.yes[f.Gateway] != f.To:
		return Ruling{}, fault.New(fault.Forbidden, "no route")
	}
	return Ruling{Gateway: f.Gateway}, nil
}

func newCourt(t *testing.T, db *store.DB, change func(r *opening.Request)) *court {
	t.Helper()
	c := &court{t: t, ctx: context.Background(), man: manifest(), keys: make(map[string]ed25519.PrivateKey), clock: clock.Manual(start), log: &courtLog{},
		route: &routes{yes: map[string]string{"G-refer": "child-protection", "G-0": "org-0", "G-1": "org-1"}}}
	c.man.Emergency = &opening.Emergency{OpenSeconds: 60, ReleaseEvery: 60, ReviewSeconds: 3600, Limit: 2}
	c.man.Approvers = nil
	for id, role := range map[string]string{"officer": opening.RoleAuthority, "overseer": opening.RoleOversight, "overseer-2": opening.RoleOversight} {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		c.keys[id] = key
		c.man.Approvers = append(c.man.Approvers, opening.Approver{ID: id, Role: role, Key: pub})
	}
	p := &courtPool{}
	r := opening.Request{Pool: "pool", Epoch: "e", Playbook: opening.PlaybookStandard}
	for i := range 3 {
		x := seen(byte(i+1), i, "a", 1)
		x.Header.Sector, x.Header.Kind, x.Header.Origin = "bank", "payment", "own"
		raw, err := x.Header.Encode()
		must(t, err)
		st := pool.Stored{Label: x.Label, Live: true}
		st.Observation.Header = raw
		p.items, r.Labels = append(p.items, st), append(r.Labels, x.Label)
	}
	if change != nil {
		change(&r)
	}
	var err error
	c.s, err = New(c.ctx, db, p, c.log, nil, c.route, c.clock, rand.Reader)
	must(t, err)
	req := c.sign("officer", opening.RequestDomain, r)
	c.o = openingRow{ID: "o1", Lead: "l1", Digest: opening.Digest(req.Body), Request: req, Items: r.Labels, State: Requested, Created: start, Changed: start}
	must(t, db.Write(c.ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := insertLead(ctx, tx, client.Lead{ID: "l1", Labels: r.Labels, Playbook: r.Playbook}); err != nil {
			return err
		}
		if err := insertOpening(ctx, tx, c.o); err != nil {
			return err
		}
		c.o.State, c.o.Approvals = Released, []signed.Object{{Key: "officer"}, {Key: "overseer"}}
		if err := noteEmergency(ctx, tx, c.man, c.o, r, start); err != nil {
			return err
		}
		return saveOpening(ctx, tx, c.o, Requested)
	}))
	return c
}

func (c *court) sign(who, domain string, v any) signed.Object {
	c.t.Helper()
	o, err := signed.Sign(domain, who, c.keys[who], v)
	must(c.t, err)
	return o
}

// next signs and sends the next step; change bends it before it is signed.
func (c *court) next(step, word string, change func(h *opening.Handling), notes ...signed.Object) error {
	c.t.Helper()
	h := opening.Handling{Pool: "pool", Request: c.o.Digest, Number: c.steps + 1, Before: c.before, Step: step, Word: word,
		Reason: opening.Hash{1}, Author: "officer", Time: c.clock.Now().UnixMicro()}
	for _, n := range notes {
		h.Notes = append(h.Notes, opening.Digest(n.Body))
	}
	if change != nil {
		change(&h)
	}
	o := c.sign("officer", opening.HandlingDomain, h)
	_, err := c.s.Handle(c.ctx, c.man, "officer", client.HandleRequest{ID: "o1", Handling: o, Notes: notes})
	if err == nil {
		c.steps, c.before = h.Number, opening.Digest(o.Body)
	}
	return err
}

func (c *court) refused(err error, want string) {
	c.t.Helper()
	if err == nil || !strings.Contains(fault.Sentence(err), want) {
		c.t.Errorf("%v, want a refusal with %q", err, want)
	}
}

func (c *court) note(org int, gateway string, earliest time.Time, change func(n *opening.Note)) signed.Object {
	n := opening.Note{Pool: "pool", To: fmt.Sprint("org-", org), Labels: []seal.Label{{byte(org + 1)}}, Outcome: "investigation",
		Conditions: []string{"own-use", "tell-nobody"}, Gateway: gateway, Earliest: earliest.UnixMicro(), Author: "officer"}
	_, err := rand.Read(n.Nonce[:])
	must(c.t, err)
	if change != nil {
		change(&n)
	}
	return c.sign("officer", opening.NoteDomain, n)
}

func (c *court) digest(org string, after int64) (client.Outcomes, []opening.Note) {
	c.t.Helper()
	out, err := c.s.Outcomes(c.ctx, c.man, scope.Of(org), client.OutcomesRequest{After: after})
	must(c.t, err)
	notes, err := client.OpenNotes(c.man, org, out.Notes)
	must(c.t, err)
	return out, notes
}

func decided(h *opening.Handling) { h.Child = opening.ChildNoSign }

// Deconflict, decide, outcome, release: in this order, each in the log, and
// nothing flows without a lawful route.
func TestALeadIsHandledStepByStep(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCourt(t, db, nil)
		c.refused(c.next("decide", "act", decided), "somebody else works on it")
		c.refused(c.next("outcome", "charges", nil), "follows a decision")
		must(t, c.next("deconflict", "pending", nil))
		c.refused(c.next("decide", "act", decided), "somebody else works on it")
		must(t, c.next("deconflict", "cleared", nil))
		c.refused(c.next("decide", "act", nil), "could be a child")
		c.refused(c.next("decide", "act", func(h *opening.Handling) { h.Child = "not-known" }), "protect or refer")
		c.refused(c.next("decide", "detain", decided), "no decision")
		c.refused(c.next("decide", "refer", decided), "to whom")
		refer := func(to, gateway string, flags ...string) func(*opening.Handling) {
			return func(h *opening.Handling) {
				h.Child, h.To, h.Gateway, h.Provenance = "possible", to, gateway, flags
			}
		}
		c.refused(c.next("decide", "refer", refer("newspaper", "G-refer")), "no route")
		c.refused(c.next("decide", "refer", refer("child-protection", "G-refer", "smr-derived")), "report of suspicion")
		c.route.err = errors.New("out of order")
		c.refused(c.next("decide", "refer", refer("child-protection", "G-refer")), "could not be found out")
		c.route.err = nil
		before := len(c.log.kinds)
		must(t, c.next("decide", "refer", refer("child-protection", "G-refer")))
		if got := c.log.kinds[before:]; !slices.Equal(got, []string{"handling"}) {
			t.Errorf("in the log: %v", got)
		}
		c.refused(c.next("decide", "act", decided), "decided already")
		c.refused(c.next("outcome", "charges", func(h *opening.Handling) { h.Number-- }), "in between")
		c.refused(c.next("outcome", "charges", func(h *opening.Handling) { h.Reason = opening.Hash{} }), "written reason")
		must(t, c.next("outcome", "investigation", nil))
		c.log.fail = errors.New("disk full")
		if err := c.next("outcome", "charges", nil); err == nil {
			t.Error("a step that the log could not take")
		}
		c.log.fail = nil
		list, err := c.s.Openings(c.ctx, c.man, "officer")
		must(t, err)
		if n := len(list.Openings[0].Handling); n != 4 {
			t.Errorf("%d steps, want 4", n)
		}
	})
}

// A release is told to a contributor of the opening, about its own
// observations, once, under its own lawful route, and not before the release
// time that follows its date, however the clock jumps.
func TestAnOutcomeIsReleasedInADigest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCourt(t, db, nil)
		must(t, c.next("deconflict", "cleared", nil))
		must(t, c.next("decide", "act", decided))
		must(t, c.next("outcome", "investigation", nil))
		day := start.Add(24 * time.Hour)
		for want, list := range map[string][]signed.Object{
			"lists what goes out":   nil,
			"not the contributor's": {c.note(0, "G-0", day, func(n *opening.Note) { n.Labels = []seal.Label{{1}, {2}} })},
			"no route":              {c.note(2, "G-0", day, nil)},
			"gateway decision":      {c.note(0, "", day, nil)},
			"one note":              {c.note(0, "G-0", day, nil), c.note(0, "G-0", day, nil)},
			"another outcome":       {c.note(0, "G-0", day, func(n *opening.Note) { n.Outcome = "charges" })},
			"no condition":          {c.note(0, "G-0", day, func(n *opening.Note) { n.Conditions = []string{"call her"} })},
			"more than a year":      {c.note(0, "G-0", start.AddDate(2, 0, 0), nil)},
			"too long":              {c.note(0, "G-0", day, func(n *opening.Note) { n.Gateway = strings.Repeat("G", 1000) })},
		} {
			c.refused(c.next("release", "investigation", nil, list...), want)
		}
		must(t, c.next("release", "investigation", nil, c.note(0, "G-0", day, nil), c.note(1, "G-1", start, nil)))
		must(t, c.s.place(c.ctx, c.man))
		c.clock.Advance(48 * time.Hour)
		must(t, c.s.place(c.ctx, c.man))
		if _, notes := c.digest("org-0", 0); len(notes) != 0 {
			t.Fatal("released before it was in the witnessed log")
		}
		c.clock.Advance(-48 * time.Hour)
		c.log.logged = true
		must(t, c.s.place(c.ctx, c.man))
		released := start.Add(48*time.Hour + time.Minute)
		for _, jump := range []time.Duration{0, 47 * time.Hour, -time.Hour, 2*time.Hour + 59*time.Second, time.Second, time.Minute, -time.Minute, 3 * time.Hour} {
			c.clock.Advance(jump)
			must(t, c.s.place(c.ctx, c.man))
			for _, org := range []string{"org-0", "org-1", "org-2"} {
				out, notes := c.digest(org, 0)
				want := 0
				if org != "org-2" && !c.clock.Now().Before(released) {
					want = 1
				}
				if len(notes) != want || len(out.Notes) != client.OutcomesSize {
					t.Errorf("%s at %s: %d notes in %d bytes, want %d", org, c.clock.Now(), len(notes), len(out.Notes), want)
				}
			}
		}
		out, notes := c.digest("org-0", 0)
		if notes[0].Outcome != "investigation" || notes[0].Labels[0] != (seal.Label{1}) {
			t.Errorf("%+v", notes[0])
		}
		if _, notes := c.digest("org-0", out.Through); len(notes) != 0 {
			t.Error("told twice")
		}
	})
}

// What does not fit into one digest comes in the next; nothing is lost.
func TestADigestHasRoomForSoMany(t *testing.T) {
	c := newCourt(t, storetest.SQLite(t), nil)
	must(t, c.s.place(c.ctx, c.man)) // a tick
	c.log.logged = true
	const many = 3*client.MaxNotes + 5
	must(t, c.s.db.Write(c.ctx, func(ctx context.Context, tx *store.Tx) error {
		for i := range many {
			if err := insertNote(ctx, tx, noteRow{ID: fmt.Sprintf("n%02d", i), Opening: "o1", Org: "org-0", Signed: c.note(0, "G-0", start, nil)}); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, c.s.place(c.ctx, c.man))
	c.clock.Advance(time.Hour)
	must(t, c.s.place(c.ctx, c.man))
	seen, after := map[opening.Hash]bool{}, int64(0)
	for range 10 {
		out, notes := c.digest("org-0", after)
		for _, n := range notes {
			seen[n.Nonce] = true
		}
		if out.Through == after {
			break
		}
		after = out.Through
	}
	if len(seen) != many {
		t.Errorf("%d of %d notes came", len(seen), many)
	}
}

// The steps are a chain that a reader can check by itself: any edit breaks it.
func TestAnEditedStepBreaksTheChain(t *testing.T) {
	c := newCourt(t, storetest.SQLite(t), nil)
	must(t, c.next("deconflict", "cleared", nil))
	must(t, c.next("decide", "act", decided))
	must(t, c.s.db.Write(c.ctx, func(ctx context.Context, tx *store.Tx) error {
		steps, err := readSteps(ctx, tx, "o1")
		if err != nil {
			return err
		}
		var h opening.Handling
		if err := json.Unmarshal(steps[0].Signed.Body, &h); err != nil {
			return err
		}
		h.Word = "hold"
		raw, err := text(c.sign("officer", opening.HandlingDomain, h))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE leads_step SET signed = $1 WHERE number = 1`, raw)
		return err
	}))
	if err := c.next("outcome", "charges", nil); err == nil || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("an edited step: %v", err)
	}
}

// An overdue review keeps the next break-glass request from being taken.
func TestAnOverdueReviewIsAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		broke := func(r *opening.Request) { r.Emergency = "child-at-risk" }
		c := newCourt(t, db, broke)
		again := func() error {
			return db.Read(c.ctx, func(ctx context.Context, tx *store.Tx) error {
				return c.s.glassIsWhole(ctx, tx, c.man, opening.Request{Emergency: "child-at-risk"})
			})
		}
		review := func(who string, of opening.Hash) error {
			o := c.sign(who, opening.ReviewDomain, opening.Review{Pool: "pool", Request: of, Reviewer: who, Finding: opening.ReviewUpheld, Reason: opening.Hash{1}})
			_, err := c.s.Review(c.ctx, c.man, who, client.ReviewRequest{ID: "o1", Review: o})
			return err
		}
		must(t, again())
		c.man.Emergency.Limit = 1
		c.refused(again(), "which is the most that this pool allows")
		c.clock.Advance(61 * time.Minute)
		c.refused(again(), "overdue")
		c.refused(review("officer", c.o.Digest), "oversight body")
		c.refused(review("overseer", c.o.Digest), "does not review")
		c.refused(review("overseer-2", opening.Hash{9}), "another opening")
		must(t, review("overseer-2", c.o.Digest))
		must(t, again())
		list, err := c.s.Openings(c.ctx, c.man, "officer")
		must(t, err)
		if o := list.Openings[0]; o.Review == nil || o.ReviewBy != start.Add(time.Hour).UnixMicro() || !slices.Contains(c.log.kinds, "review") {
			t.Errorf("%+v, log %v", o, c.log.kinds)
		}
	})
}
