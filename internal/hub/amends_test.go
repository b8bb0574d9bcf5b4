package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// cut is a network in which one address can be unreachable.
type cut struct{ host atomic.Value }

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	if h, _ := c.host.Load().(string); h != "" && h == r.URL.Host {
		return nil, errors.New("unreachable")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// correct signs a correction and sends it to the hub alone.
func (w *world) correct(kind, author, path string, labels ...seal.Label) (signed.Object, error) {
	w.t.Helper()
	d := opening.Denial{Kind: kind, Pool: "pool", Labels: labels, Author: author, Reason: "mistaken", Time: w.clock.Now().UnixMicro()}
	if _, ok := w.man.Member(author); ok {
		d.Member = author
	}
	_, err := rand.Read(d.Nonce[:])
	must(w.t, err)
	o, err := signed.Sign(opening.DenialDomain, author, w.keys[author], d)
	must(w.t, err)
	return o, w.call(author, path, o, nil)
}

// released takes a lead of three organisations to its release.
func (w *world) released(address string) (id string, labels []seal.Label) {
	w.t.Helper()
	labels = w.threeOrgs(address)
	w.tick(0)
	w.tick(61 * time.Minute)
	id, req, err := w.request(w.leads()[0], nil)
	must(w.t, err)
	for _, who := range []string{"officer", "overseer"} {
		_, err := w.approve(who, id, req)
		must(w.t, err)
	}
	w.tick(time.Minute)
	w.tick(2 * time.Hour)
	if st := w.opening(id).State; st != "released" {
		w.t.Fatalf("the opening is %s", st)
	}
	return id, labels
}

func (w *world) correctedList() []client.CorrectedItem {
	w.t.Helper()
	var out client.Corrected
	must(w.t, w.call("officer", client.PathCorrected, struct{}{}, &out))
	return out.Corrections
}

func (w *world) acknowledge(c client.CorrectedItem) error {
	w.t.Helper()
	o, err := signed.Sign(client.CorrectionReceiptDomain, "officer", w.keys["officer"], client.CorrectionReceipt{
		Correction: opening.Digest(c.Denial.Body), Openings: c.Openings, Reader: "officer", Time: w.clock.Now().UnixMicro()})
	must(w.t, err)
	return w.call("officer", client.PathCorrectedAck, o, nil)
}

// A correction that a member gave to the hub alone reaches every key holder and
// the authority that read the observation, with receipts, within an hour; who
// does not answer is shown, and asked until it does.
func TestACorrectionReachesAllWithReceipts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		net := &cut{}
		w := newWorldWith(t, db, func(o *Options) {
			demoConsole(o)
			o.HTTP = &http.Client{Transport: net}
		})
		id, labels := w.released("someone@example.org")
		other, _ := w.contribute("bank-a", "elsewhere@example.org", "payment-pattern", nil)
		net.host.Store(strings.TrimPrefix(w.man.Holders[2].URL, "http://"))

		taken := w.clock.Now()
		_, err := w.correct(opening.DenyFreeze, "hotline-a", client.PathCorrect, labels[2])
		must(t, err)
		_, err = w.correct(opening.DenyFreeze, "bank-a", client.PathCorrect, other)
		must(t, err)
		w.spread(10 * time.Minute)
		for i, h := range w.holders {
			if frozen, _ := h.Frozen(); (frozen == 2) != (i != 2) {
				t.Errorf("holder %d keeps %d freezes", i+1, frozen)
			}
		}
		list := w.correctedList()
		if len(list) != 1 || len(list[0].Openings) != 1 || list[0].Openings[0] != id || !list[0].Waiting || list[0].Due != taken.Add(time.Hour).UnixMicro() {
			t.Fatalf("the authority hears of what it could read and of nothing else: %+v", list)
		}
		var f client.Fetched
		must(t, w.call("officer", client.PathFetch, client.OpeningID{ID: id}, &f))
		if len(f.Items) != 2 {
			t.Errorf("%d items are handed out of three, one of them frozen", len(f.Items))
		}
		must(t, w.acknowledge(list[0]))
		must(t, w.acknowledge(list[0]))
		if w.correctedList()[0].Waiting {
			t.Error("it still waits for a receipt")
		}
		w.spread(40 * time.Minute)
		if page := w.shown("authority/officer"); !strings.Contains(page, "On its way") || strings.Contains(page, "Late") {
			t.Errorf("before the hour is over:\n%s", page)
		}
		w.spread(20 * time.Minute)
		if page := w.shown("oversight/overseer"); !strings.Contains(page, "Late: 2") {
			t.Errorf("after an hour without holder 3:\n%s", page)
		}
		net.host.Store("")
		w.spread(10 * time.Minute)
		if frozen, _ := w.holders[2].Frozen(); frozen != 2 {
			t.Errorf("holder 3 keeps %d freezes after it came back", frozen)
		}
		if page := w.shown("authority/officer"); strings.Contains(page, "Late: ") == false || !strings.Contains(page, "Everybody knows") {
			t.Errorf("after it came back:\n%s", page)
		}

		_, err = w.correct(opening.DenyUphold, "hotline-a", client.PathCorrect, labels[2])
		must(t, err)
		w.spread(10 * time.Minute)
		must(t, w.call("officer", client.PathFetch, client.OpeningID{ID: id}, &f))
		if frozen, _ := w.holders[0].Frozen(); frozen != 1 || len(f.Items) != 3 {
			t.Errorf("after the decision to keep: %d frozen, %d items", frozen, len(f.Items))
		}
	})
}

// spread ticks; a witness that is away is no failure of the tick here.
func (w *world) spread(after time.Duration) {
	w.t.Helper()
	w.clock.Advance(after)
	_ = w.hub.Tick(context.Background())
}

func (w *world) shown(as string) string {
	w.t.Helper()
	status, body, _ := w.browse(as, "/corrections")
	if status != http.StatusOK {
		w.t.Fatalf("/corrections: %d", status)
	}
	return body
}

// An approver's freeze of one lead's observation stops that lead and no other.
func TestAFreezeStopsOneLeadOnly(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	first, second := w.threeOrgs("one@example.org"), w.threeOrgs("two@example.org")
	w.tick(0)
	w.tick(61 * time.Minute)
	if n := len(w.leads()); n != 2 {
		t.Fatalf("%d leads", n)
	}
	_, err := w.correct(opening.DenyFreeze, "overseer", client.PathCorrectAny, first[0])
	must(t, err)
	w.tick(time.Minute)
	list := w.leads()
	if len(list) != 1 || len(list[0].Labels) != 3 {
		t.Fatalf("leads after the freeze: %+v", list)
	}
	for _, l := range second {
		found := false
		for _, x := range list[0].Labels {
			found = found || x == l
		}
		if !found {
			t.Error("the other lead lost an observation")
		}
	}
	if _, err := w.correct(opening.DenyFreeze, "bank-a", client.PathCorrectAny, second[0]); status(err) != http.StatusForbidden {
		t.Errorf("a member by label: %v", err)
	}
}

// An opened lead that nobody reviews for 90 days is read by nobody; cleared, it
// is a bare commitment after 30 days.
func TestOpenedLeadsAreReviewedOrFrozen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorldWith(t, db, demoConsole)
		id, _ := w.released("someone@example.org")
		w.spread(0)
		fetch := func() error { return w.call("officer", client.PathFetch, client.OpeningID{ID: id}, nil) }
		review := func(outcome string) error {
			return w.call("officer", client.PathRetain, client.RetainRequest{Opening: id, Outcome: outcome, Reason: "still under inquiry"}, nil)
		}
		w.spread(89 * 24 * time.Hour)
		must(t, fetch())
		w.spread(2 * 24 * time.Hour)
		if err := fetch(); status(err) != http.StatusConflict {
			t.Errorf("not reviewed for 91 days: %v", err)
		}
		must(t, review(client.RetainKeep))
		must(t, fetch())
		must(t, review(client.RetainClear))
		if err := fetch(); status(err) != http.StatusConflict {
			t.Errorf("cleared: %v", err)
		}
		if err := review(client.RetainKeep); status(err) != http.StatusConflict {
			t.Errorf("kept after it was cleared: %v", err)
		}
		partials := func() (n int) {
			must(t, db.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM leads_holder WHERE partials <> '[]'`).Scan(&n)
			}))
			return n
		}
		w.spread(29 * 24 * time.Hour)
		if partials() == 0 {
			t.Error("the shares went before their time")
		}
		w.spread(2 * 24 * time.Hour)
		var list client.RetainedList
		must(t, w.call("officer", client.PathRetained, struct{}{}, &list))
		if n := partials(); n != 0 || len(list.Openings) != 1 || list.Openings[0].State != "bare" {
			t.Errorf("%d holders' shares are left; reviews %+v", n, list.Openings)
		}
		if status, body, _ := w.browse("authority/officer", "/openings"); status != http.StatusOK {
			t.Errorf("the page Openings after that: %d\n%s", status, body)
		}
	})
}

// The hub takes sealed findings of one size only, and answers all alike.
func TestFindingsHaveOneSize(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	send := func(number string, n int) error {
		return w.call("bank-a", client.PathSubject, client.SubjectReport{Number: number, Sealed: make([]byte, n)}, nil)
	}
	must(t, send("01AB-23CD-45EF", client.SubjectSize+48))
	must(t, send("01AB-23CD-45EF", client.SubjectSize+48))
	for number, n := range map[string]int{"01AB-23CD-45E0": client.SubjectSize + 49, "01ab": client.SubjectSize + 48} {
		if err := send(number, n); status(err) != http.StatusBadRequest && status(err) != http.StatusUnprocessableEntity {
			t.Errorf("%s, %d bytes: %v", number, n, err)
		}
	}
	var list client.Subjects
	must(t, w.call("officer", client.PathSubjects, struct{}{}, &list))
	if len(list.Subjects) != 1 || list.Subjects[0].Organisation != "bank-a" {
		t.Errorf("findings %+v", list)
	}
	if err := w.call("overseer", client.PathSubjects, struct{}{}, nil); status(err) != http.StatusForbidden {
		t.Errorf("oversight reads findings: %v", err)
	}
}
