package leads

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/pool"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// Lists go on from where they ended, each row once, whatever shares a moment.
func TestListsGoOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, _, _ := service(t, db)
		ctx := context.Background()
		must(t, db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			for i := range 2*rows + 5 {
				l := client.Lead{ID: fmt.Sprintf("%032x", i), Labels: []seal.Label{}, Conditions: []opening.Condition{}, Playbook: opening.PlaybookStandard, Ready: int64(i / 7)}
				o := openingRow{ID: fmt.Sprintf("%032x", i), Lead: l.ID, Digest: opening.Hash{byte(i), 1}, Items: []seal.Label{},
					State: Requested, Created: start, Changed: start}
				raw, err := signed.Marshal(opening.Request{Labels: []seal.Label{}})
				if err != nil {
					return err
				}
				o.Request.Body = raw
				if err := errors.Join(insertLead(ctx, tx, l), insertOpening(ctx, tx, o)); err != nil {
					return err
				}
			}
			return nil
		}))
		for name, page := range map[string]func(place) ([]string, place){
			"ready": func(at place) (ids []string, more place) {
				o, err := s.overview(ctx, scope.Pool(), manifest(), "officer", look{ready: &at})
				must(t, err)
				return o.ids(), o.more.ready
			},
			"under way": func(at place) (ids []string, more place) {
				o, err := s.overview(ctx, scope.Pool(), manifest(), "officer", look{under: &at})
				must(t, err)
				return o.ids(), o.more.under
			},
		} {
			seen := map[string]bool{}
			for at, pages := newest, 1; ; pages++ {
				ids, more := page(at)
				for _, id := range ids {
					if seen[id] {
						t.Errorf("%s: %s is there twice", name, id)
					}
					seen[id] = true
				}
				if more.id == "" {
					if pages != 3 {
						t.Errorf("%s: %d pages", name, pages)
					}
					break
				}
				at = more
			}
			if len(seen) != 2*rows+5 {
				t.Errorf("%s: %d rows", name, len(seen))
			}
		}
	})
}

func TestStructureShowsWhatCarriesTheLeadOnly(t *testing.T) {
	s, p, l := service(t, storetest.SQLite(t))
	ctx, m := context.Background(), manifest()
	// 5 hangs on by a tag that only 4 shares, and 4 hangs on by one of 3: of
	// the three observations that open, 3 rests on 4 as well.
	p.groups = [][]pool.Observed{{seen(1, 0, "account", 1), seen(2, 1, "payment", 1), seen(3, 2, "account", 1, 2), seen(4, 3, "account", 2, 3), seen(5, 4, "account", 3)}}
	must(t, s.Refresh(ctx, m))
	id := list(t, s)[0].ID
	x, err := s.structure(ctx, scope.Pool(), m, "officer", id)
	must(t, err)
	var got []byte
	for _, e := range x.evidence {
		got = append(got, e.Label[0])
	}
	if string(got) != "\x01\x02\x03\x04" || x.gone != 0 {
		t.Errorf("evidence %v, %d gone", got, x.gone)
	}
	if e := x.evidence[2]; len(e.shares) != 3 || e.weight != 2 {
		t.Errorf("the third rests on %+v", e)
	}
	if kind := l.kinds[len(l.kinds)-1]; kind != "lead-read" {
		t.Errorf("the read was logged as %s", kind)
	}
	l.fail = errors.New("disk full")
	if x, err := s.structure(ctx, scope.Pool(), m, "officer", id); fault.KindOf(err) != fault.Unavailable || x.ID != "" || x.evidence != nil {
		t.Errorf("shown without an entry: %+v, %v", x, err)
	}
	if o, err := s.overview(ctx, scope.Pool(), m, "officer", look{&newest, &newest, &newest}); fault.KindOf(err) != fault.Unavailable || o.ready != nil {
		t.Errorf("shown without an entry: %+v, %v", o, err)
	}
	for _, of := range []scope.Scope{scope.Of("org-1"), scope.Of(""), scope.Of("*"), {}} {
		if _, err := s.structure(ctx, of, m, "officer", id); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%q: %v", of, err)
		}
		if _, err := s.overview(ctx, of, m, "officer", look{}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%q: %v", of, err)
		}
	}
}

// What two observations have in common and does not link people is no reason
// to show one of them.
func TestObjectsAreNoReason(t *testing.T) {
	a, b := seen(1, 0, "account", 1, 2), seen(2, 1, "account", 1, 2)
	a.Header.Tags[1].Class, b.Header.Tags[1].Class = selector.URL, selector.URL
	p := pieces(manifest(), []pool.Observed{a, b}, start)[0]
	if len(p.shares) != 1 || p.shares[0].tag.Class != selector.Email || p.shares[0].with != "org-1" {
		t.Errorf("shares %+v", p.shares)
	}
}
