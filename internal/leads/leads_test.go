package leads

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/tlog"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyListedMovesAreAllowed(t *testing.T) {
	order := []State{Requested, Approved, Logged, Released, Closed}
	for i, from := range order {
		for j, to := range order {
			want := (j == i+1 && to != Closed) || (to == Closed && i < 3)
			err := Move(from, to)
			if (err == nil) != want {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			if err != nil && fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s to %s: kind %v", from, to, fault.KindOf(err))
			}
		}
	}
}

// fakes: a pool that shows what the test puts there and a log that counts.
type fakePool struct{ groups [][]pool.Observed }

func (p *fakePool) Candidates(context.Context) ([][]pool.Observed, error) { return p.groups, nil }
func (p *fakePool) Near(_ context.Context, l seal.Label) ([]pool.Observed, error) {
	for _, g := range p.groups {
		for _, o := range g {
			if o.Label == l {
				return g, nil
			}
		}
	}
	return nil, nil
}
func (p *fakePool) Live(_ context.Context, labels []seal.Label) (out []pool.Observed, err error) {
	for _, g := range p.groups {
		for _, o := range g {
			if slices.Contains(labels, o.Label) {
				out = append(out, o)
			}
		}
	}
	return out, nil
}
func (p *fakePool) Items(context.Context, []seal.Label) ([]pool.Stored, error) {
	return nil, errors.New("not needed here")
}

type fakeLog struct {
	kinds []string
	fail  error
}

func (l *fakeLog) Append(_ context.Context, _ *store.Tx, kind string, _ []byte) (string, [32]byte, error) {
	if l.fail == nil {
		l.kinds = append(l.kinds, kind)
	}
	return "ticket", [32]byte{}, l.fail
}
func (l *fakeLog) Logged(context.Context, string) (bool, error)      { return false, nil }
func (l *fakeLog) Checkpoint(context.Context) ([]byte, int64, error) { return nil, 0, nil }
func (l *fakeLog) Proof(context.Context, string, int64) (p opening.LogProof, err error) {
	return p, nil
}
func (l *fakeLog) Consistency(context.Context, int64, int64) (c tlog.Consistency, err error) {
	return c, nil
}

// anyLaw allows every flow; whether a flow is lawful is the gateway's to test.
type anyLaw struct{}

func (anyLaw) Lawful(_ context.Context, _ *store.Tx, f Flow) (Ruling, error) {
	return Ruling{Gateway: f.Gateway}, nil
}

func manifest() opening.Manifest {
	rule := opening.DefaultRule()
	m := opening.Manifest{Version: 1, Pool: "pool", Epoch: "e", Rules: []opening.Rule{rule}, CurrentRule: rule.Hash(),
		Delays: opening.Delays{OpenSeconds: 3600, ReleaseEvery: 60}}
	for i := range 6 {
		id := fmt.Sprint("org-", i)
		m.Members = append(m.Members, opening.Member{ID: id, Entity: id, Sector: fmt.Sprint(i % 2), Admitted: start.AddDate(-1, 0, 0).UnixMicro(), Status: opening.Active})
	}
	m.Approvers = []opening.Approver{{ID: "officer", Role: opening.RoleAuthority}, {ID: "overseer", Role: opening.RoleOversight}}
	return m
}

// seen is one observation through the tags of the given numbers.
func seen(n byte, org int, kind string, tags ...byte) pool.Observed {
	h := opening.Header{Version: 1, Pool: "pool", Epoch: "e", Organisation: fmt.Sprint("org-", org), Sector: fmt.Sprint(org % 2), Role: "unknown",
		Source: "b", Info: "2", Strength: 2, Kind: kind, Week: "2026-W44", Rule: opening.DefaultRule().Hash(), Manifest: 1}
	for _, x := range tags {
		key := make(ed25519.PublicKey, 32)
		key[0] = x
		h.Tags = append(h.Tags, opening.HeaderTag{Class: selector.Email, Key: key, Expires: start.AddDate(1, 0, 0).UnixMicro()})
	}
	return pool.Observed{Label: seal.Label{n}, Header: h, Logged: start.Add(-2 * time.Hour)}
}

func service(t *testing.T, db *store.DB) (*Service, *fakePool, *fakeLog) {
	t.Helper()
	p, l := &fakePool{}, &fakeLog{}
	s, err := New(context.Background(), db, p, l, nil, anyLaw{}, clock.Fixed(start), rand.Reader)
	must(t, err)
	return s, p, l
}

func list(t *testing.T, s *Service) []client.Lead {
	t.Helper()
	out, err := s.List(context.Background(), manifest(), "officer")
	must(t, err)
	return out.Leads
}

func TestLeadKeepsItsIDWhileItGrows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, p, _ := service(t, db)
		ctx, m := context.Background(), manifest()
		base := []pool.Observed{seen(1, 0, "a", 1), seen(2, 1, "b", 1), seen(3, 2, "a", 1)}
		p.groups = [][]pool.Observed{base[:2]}
		must(t, s.Refresh(ctx, m))
		if l := list(t, s); len(l) != 0 {
			t.Fatalf("a lead below the threshold: %+v", l)
		}
		p.groups = [][]pool.Observed{base}
		must(t, s.Refresh(ctx, m))
		first := list(t, s)
		if len(first) != 1 || len(first[0].Labels) != 3 || len(first[0].ID) != 32 {
			t.Fatalf("%+v", first)
		}
		for _, c := range first[0].Conditions {
			if !c.Met {
				t.Errorf("a ready lead shows an unmet condition: %+v", c)
			}
		}
		p.groups = [][]pool.Observed{append(base[:3:3], seen(4, 3, "b", 1))}
		must(t, s.Refresh(ctx, m))
		if l := list(t, s); len(l) != 1 || l[0].ID != first[0].ID || len(l[0].Labels) != 4 {
			t.Errorf("after growth: %+v", l)
		}
		p.groups = [][]pool.Observed{{base[0], base[1], seen(4, 2, "b", 1)}}
		must(t, s.Refresh(ctx, m))
		if l := list(t, s); len(l) != 1 || l[0].ID == first[0].ID {
			t.Errorf("after a loss it is another lead: %+v", l)
		}
		p.groups = nil
		must(t, s.Refresh(ctx, m))
		if l := list(t, s); len(l) != 0 {
			t.Errorf("a lead of nothing: %+v", l)
		}
	})
}

func TestOnlyWhatOpensUnderItsOwnRuleIsListed(t *testing.T) {
	// 4 hangs on by a tag that only 3 shares: it stays sealed.
	c := assess(manifest(), []pool.Observed{seen(1, 0, "a", 1), seen(2, 1, "b", 1), seen(3, 2, "a", 1, 2), seen(4, 3, "b", 2)}, start)
	f, ok := form(manifest(), c, start)
	if !ok || len(f.labels) != 3 || covers(f.labels, []seal.Label{{4}}) {
		t.Fatalf("%v %+v", ok, f)
	}
	// The bundle for 3 shows 4 as well, because 3 shares a tag with it.
	if got, ok := c.support(manifest(), []seal.Label{{3}}); !ok || len(got) != 4 {
		t.Errorf("support of 3: %v", got)
	}
	if got, ok := c.support(manifest(), []seal.Label{{1}}); !ok || len(got) != 3 {
		t.Errorf("support of 1: %v", got)
	}
	if _, ok := c.support(manifest(), []seal.Label{{9}}); ok {
		t.Error("an unknown observation has support")
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	for name, change := range map[string]func(m *opening.Manifest, o *pool.Observed){
		"not in the log":          func(_ *opening.Manifest, o *pool.Observed) { o.Logged = time.Time{} },
		"in the log for a minute": func(_ *opening.Manifest, o *pool.Observed) { o.Logged = start.Add(-time.Minute) },
		"of a suspended member":   func(m *opening.Manifest, _ *pool.Observed) { m.Members[2].Status = opening.Suspended },
		"of a member that is new": func(m *opening.Manifest, _ *pool.Observed) {
			m.Members[2].Admitted = start.AddDate(0, 0, -1).UnixMicro()
		},
		"expired":                    func(_ *opening.Manifest, o *pool.Observed) { o.Header.Tags[0].Expires = start.UnixMicro() },
		"of another epoch":           func(_ *opening.Manifest, o *pool.Observed) { o.Header.Epoch = "f" },
		"of a sector it is not in":   func(_ *opening.Manifest, o *pool.Observed) { o.Header.Sector = "9" },
		"from an unreliable source":  func(_ *opening.Manifest, o *pool.Observed) { o.Header.Source = "e" },
		"about somebody to be asked": func(_ *opening.Manifest, o *pool.Observed) { o.Header.Role = opening.RolePossibleVictim },
	} {
		m, o := manifest(), seen(3, 2, "a", 1)
		change(&m, &o)
		if f, ok := form(m, assess(m, []pool.Observed{seen(1, 0, "a", 1), seen(2, 1, "b", 1), o}, start), start); ok {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestReadsAreLoggedOrRefused(t *testing.T) {
	s, _, l := service(t, storetest.SQLite(t))
	ctx, m := context.Background(), manifest()
	list(t, s)
	_, err := s.Openings(ctx, m, "overseer")
	must(t, err)
	if len(l.kinds) != 2 || l.kinds[0] != "lead-read" || l.kinds[1] != "opening-read" {
		t.Errorf("log entries %v", l.kinds)
	}
	l.fail = errors.New("disk full")
	if out, err := s.List(ctx, m, "officer"); err == nil || out.Leads != nil {
		t.Errorf("shown without an entry: %+v %v", out, err)
	}
	if out, err := s.Openings(ctx, m, "officer"); err == nil || out.Openings != nil {
		t.Errorf("shown without an entry: %+v %v", out, err)
	}
	if _, err := s.List(ctx, m, "org-1"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a member: %v", err)
	}
}
