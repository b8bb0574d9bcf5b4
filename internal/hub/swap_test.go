package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/authz"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// foreign is one thing that belongs to an organisation, or to the pool (org
// ""), by every id that names it.
type foreign struct {
	org, kind string
	id        string
	label     seal.Label
	batch     client.ContributeRequest // as its organisation sent it
	time      int64                    // of a batch or withdrawal, as its own pages page by it
}

// swapWorld is a world with leads ready, asked for and released, and everything
// in it by its ids.
type swapWorld struct {
	opened
	h     http.Handler
	who   *sessions
	list  []foreign
	batch map[string]client.ContributeRequest // an own one of each organisation, not sent yet
}

func newSwapWorld(t *testing.T) *swapWorld {
	t.Helper()
	w := &swapWorld{opened: openedWorld(t), who: &sessions{}, batch: map[string]client.ContributeRequest{}}
	w.hub.console.who = w.who
	for _, o := range orgs {
		c, label := w.draft(o.id, "of-"+o.id+"@example.org", "report", nil)
		m := w.member(o.id)
		req, err := m.Sign([]client.Contributed{c})
		must(t, err)
		_, _, err = m.Contribute(context.Background(), req)
		must(t, err)
		w.list = append(w.list, foreign{org: o.id, kind: "batch", label: label, batch: req})
		c, _ = w.draft(o.id, "next-of-"+o.id+"@example.org", "report", nil)
		w.batch[o.id], err = m.Sign([]client.Contributed{c})
		must(t, err)
	}
	w.tick(time.Minute)
	w.h = w.hub.Handler()
	w.rows(`SELECT org, ticket, received FROM pool_batch UNION ALL SELECT org, ticket, received FROM pool_denial`, func(scan func(...any) error) error {
		f := foreign{kind: "ticket"}
		err := scan(&f.org, &f.id, &f.time)
		w.list = append(w.list, f)
		return err
	})
	w.rows(`SELECT org, label FROM pool_observation`, func(scan func(...any) error) error {
		f := foreign{kind: "label"}
		var label []byte
		err := scan(&f.org, &label)
		f.label = seal.Label(label)
		w.list = append(w.list, f)
		return err
	})
	w.rows(`SELECT id, 'lead' FROM leads_lead UNION ALL SELECT id, 'opening' FROM leads_opening`, func(scan func(...any) error) error {
		var f foreign
		err := scan(&f.id, &f.kind)
		w.list = append(w.list, f)
		return err
	})
	return w
}

func (w *world) rows(query string, each func(scan func(...any) error) error) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	}))
}

// A swap is one request of an organisation with an id that is not its own.
type swap struct {
	name string
	kind string // of the foreign thing
	send func(w *swapWorld, me string, f foreign) *http.Request
	// same: an id of the same form that names nothing gets the same answer, to
	// the byte. The answers of the others hold fresh receipts, or own rows.
	same bool
	want []int
}

func (w *swapWorld) post(me, path string, body any) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(w.signed(me, path, body)))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func (w *swapWorld) get(path string) *http.Request {
	return httptest.NewRequest(http.MethodGet, path, http.NoBody)
}

func (w *swapWorld) denial(me string, d opening.Denial) signed.Object {
	w.t.Helper()
	d.Pool, d.Member, d.Reason, d.Time = "pool", me, "corrected", w.clock.Now().UnixMicro()
	_, err := io.ReadFull(w.hub.o.Random, d.Nonce[:])
	must(w.t, err)
	o, err := signed.Sign(opening.DenialDomain, me, w.keys[me], d)
	must(w.t, err)
	return o
}

var swaps = []swap{
	{"a receipt by another's ticket", "ticket", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathReceipts, client.ReceiptRequest{Ticket: f.id})
	}, true, []int{http.StatusNotFound}},
	{"own list from another's ticket on", "ticket", func(w *swapWorld, _ string, f foreign) *http.Request {
		return w.get(fmt.Sprintf("/contribute?before=%d-%s", f.time, f.id))
	}, false, []int{http.StatusOK}},
	{"another's batch as own", "batch", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathContribute, f.batch)
	}, false, []int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity}},
	{"another's root over own observations", "batch", func(w *swapWorld, me string, f foreign) *http.Request {
		req := w.batch[me]
		req.Root = f.batch.Root
		return w.post(me, client.PathContribute, req)
	}, false, []int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity}},
	{"another's observation in an own batch", "batch", func(w *swapWorld, me string, f foreign) *http.Request {
		req, err := w.member(me).Sign(f.batch.Observations)
		must(w.t, err)
		return w.post(me, client.PathContribute, req)
	}, false, []int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity}},
	{"withdrawal of another's observation", "label", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathWithdraw, w.denial(me, opening.Denial{Kind: opening.DenyWithdraw, Labels: []seal.Label{f.label}}))
	}, false, []int{http.StatusOK}},
	{"freeze of another's observation", "label", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathCorrect, w.denial(me, opening.Denial{Kind: opening.DenyFreeze, Labels: []seal.Label{f.label}, Author: me}))
	}, false, []int{http.StatusOK}},
	{"revocation of another's observation", "label", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathCorrect, w.denial(me, opening.Denial{Kind: opening.DenyRevoke, Labels: []seal.Label{f.label}, Author: me}))
	}, false, []int{http.StatusOK}},
	{"a correction at the approvers' address", "label", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathCorrectAny, w.denial(me, opening.Denial{Kind: opening.DenyFreeze, Labels: []seal.Label{f.label}, Author: me}))
	}, true, []int{http.StatusForbidden}},
	{"a request for a lead", "lead", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathOpenings, client.OpeningRequest{Lead: f.id})
	}, true, []int{http.StatusForbidden}},
	{"the page of a lead", "lead", func(w *swapWorld, _ string, f foreign) *http.Request { return w.get("/leads/" + url.PathEscape(f.id)) },
		true, []int{http.StatusForbidden}},
	{"an approval", "opening", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathApprove, client.ApproveRequest{ID: f.id})
	}, true, []int{http.StatusForbidden}},
	{"what was released", "opening", func(w *swapWorld, me string, f foreign) *http.Request {
		return w.post(me, client.PathFetch, client.OpeningID{ID: f.id})
	}, true, []int{http.StatusForbidden}},
}

// other is an id of the same form that names nothing.
func (f foreign) other(rnd *rand.Rand) foreign {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	b := []byte(f.id)
	for i := range b {
		switch {
		case f.kind == "ticket":
			b[i] = strings.ToUpper(letters)[rnd.IntN(32)]
		default:
			b[i] = "0123456789abcdef"[rnd.IntN(16)]
		}
	}
	f.id = string(b)
	for i := range f.label {
		f.label[i] = byte(rnd.Uint32())
	}
	return f
}

var requestID = regexp.MustCompile(`\b[A-Z2-7]{16}\b`)

// answer is an answer without what differs between any two requests.
func (f foreign) answer(rec *httptest.ResponseRecorder) string {
	h := rec.Header().Clone()
	h.Del("X-Request-Id")
	body := rec.Body.String()
	if f.id != "" { // an address or an echo of what was asked is no finding
		body = strings.ReplaceAll(body, f.id, "ASKED")
	}
	return requestID.ReplaceAllString(fmt.Sprint(rec.Code, h, body), "ID")
}

// names are the bytes by which an answer would give a foreign thing away.
func (f foreign) names() (out []string) {
	if f.id != "" {
		out = append(out, f.id)
	}
	if f.label != (seal.Label{}) {
		raw, _ := json.Marshal(f.label)
		out = append(out, strings.Trim(string(raw), `"`), hex.EncodeToString(f.label[:]))
	}
	return out
}

// Everything below is asked of one world, which costs seconds to make.
func TestForeignIDs(t *testing.T) {
	w := newSwapWorld(t)
	t.Run("TwoIDSwaps", func(t *testing.T) { w.t = t; twoIDSwaps(t, w) })
	t.Run("ObjectStates", func(t *testing.T) { w.t = t; objectStates(t, w) })
}

// With ids that are not its own an organisation reads nothing and changes
// nothing, through the handlers that serve it, whatever there is by those ids:
// no answer differs from that for an id of nothing, no statement names another
// organisation's rows, and all of theirs is afterwards as it was.
func twoIDSwaps(t *testing.T, w *swapWorld) {
	t.Helper()
	n := 1_500
	if soak {
		n = 100_000
	}
	rnd := rand.New(rand.NewPCG(3, 2))
	before := map[string]string{}
	for _, o := range orgs {
		before[o.id] = w.owned(o.id)
	}
	before[""] = w.owned("")
	byKind := map[string][]foreign{}
	for _, f := range w.list {
		byKind[f.kind] = append(byKind[f.kind], f)
	}
	done := map[string]int{}
	for i := range n {
		s := swaps[i%len(swaps)]
		me := orgs[rnd.IntN(len(orgs))].id
		var f foreign
		for f = byKind[s.kind][rnd.IntN(len(byKind[s.kind]))]; f.org == me; f = byKind[s.kind][rnd.IntN(len(byKind[s.kind]))] {
		}
		rec := w.swapped(s, me, f)
		switch {
		case !slices.Contains(s.want, rec.Code):
			t.Fatalf("%s: %s asks of %s: %d %s", s.name, me, f.org, rec.Code, rec.Body)
		case s.same:
			o := f.other(rnd)
			if got, want := f.answer(rec), o.answer(w.swapped(s, me, o)); got != want {
				t.Fatalf("%s: %s tells another's from nobody's:\n%s\n%s", s.name, me, got, want)
			}
		}
		for _, x := range w.list {
			for _, name := range x.names() {
				if x.org != me && strings.Contains(rec.Body.String(), name) {
					t.Fatalf("%s: the answer to %s names what is %q's", s.name, me, x.org)
				}
			}
		}
		done[s.name]++
	}
	if len(done) != len(swaps) {
		t.Errorf("only %d of %d kinds of swap were made", len(done), len(swaps))
	}
	for org, was := range before {
		if now := w.owned(org); now != was {
			t.Errorf("what is %q's has changed:\n%s\n%s", org, was, now)
		}
	}
	t.Logf("%d swaps, 0 foreign reads, 0 foreign writes", n)
}

// swapped sends one swap and watches what it does to the database.
func (w *swapWorld) swapped(s swap, me string, f foreign) *httptest.ResponseRecorder {
	w.t.Helper()
	w.who.is = authz.Principal{Kind: authz.Person, Person: "somebody", Organisation: me, Roles: []authz.Role{authz.ContributorAnalyst}, StepUpAt: w.clock.Now()}
	var strays string
	r := s.send(w, me, f)
	r = r.WithContext(store.Watch(r.Context(), func(text string, args []any) {
		if why := (statement{text, args}).strays(me, nil); why != "" {
			strays = why + ": " + text
		}
	}))
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	if strays != "" {
		w.t.Fatalf("%s: %s", s.name, strays)
	}
	return rec
}

// owned is all that is an organisation's, or the pool's for "", as one text.
func (w *swapWorld) owned(org string) string {
	w.t.Helper()
	tables := map[string]string{"pool_batch": "org", "pool_batch_leaf": "org", "pool_observation": "org", "pool_obs_tag": "org"}
	if org == "" {
		tables = map[string]string{"leads_lead": "''", "leads_opening": "''", "leads_holder": "''", "pool_contrib": "''", "pool_token_sum": "''", "pool_cluster": "''"}
	}
	var all []string
	for table, column := range tables {
		for _, row := range w.dump(`SELECT * FROM ` + table + ` WHERE ` + column + ` = '` + org + `'`) {
			all = append(all, table+" "+row)
		}
	}
	if len(all) == 0 {
		w.t.Fatalf("nothing is %q's", org)
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return fmt.Sprintf("%d rows, %x", len(all), sum[:8])
}

// dump reads rows whole.
func (w *world) dump(query string) (out []string) {
	w.t.Helper()
	must(w.t, w.hub.o.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			values, at := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				at[i] = &values[i]
			}
			if err := rows.Scan(at...); err != nil {
				return err
			}
			out = append(out, fmt.Sprint(values...))
		}
		return rows.Err()
	}))
	return out
}
