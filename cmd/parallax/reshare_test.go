package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/internal/desk"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
)

// The key shares are refreshed, then a holder whose disk is gone is replaced by
// another body, while one organisation contributes before, one between and one
// after. What they contribute links, so the tags are the same; the lead opens;
// no desk has joined again; and a share of before is worth nothing with one of
// after.
func TestKeySharesAreRefreshedAndALostHolderReplaced(t *testing.T) {
	s := buildWith(t, &stage{budget: 20_000, every: "200ms"})
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", SMR: "=no", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	submit := func(i int) {
		c := contributors[i]
		s.save(s.path(c.id+".csv"), c.file)
		s.at(c.id, "submit", s.path(c.id+".csv"), "--mapping", mapping, "--yes", "--basis", "basis-1")
	}
	submit(0)
	old := s.share("holder-1")

	s.order("refresh", "--dealer", "1", "--dealer", "2")
	s.kill("holder-2") // in the middle, or before or after it
	s.until("a word from the others, or the end", func() bool { r := s.shares(); return r.Generation == 1 || r.Open != nil })
	s.again("holder-2")
	s.follow(1, "holder-1", "holder-2", "holder-3")
	submit(1)

	s.kill("holder-3")
	s.must(os.RemoveAll(s.path("holder-3")))
	url, addr := s.free("holder-4")
	var card opening.Holder
	s.decode(s.do("keyholder", "init", "--dir", s.path("holder-4"), "--id", "holder-4", "--entity", "Body holder-4", "--url", url), &card)
	file := s.write("card.json", card)
	s.refuse(1, "is pinned", "keyholder", "join", "--dir", s.path("holder-4"), "--hub", s.hub, "--pin", strings.Repeat("0", 64))
	s.do("keyholder", "join", "--dir", s.path("holder-4"), "--hub", s.hub, "--pin", s.pin)
	s.holder(card, addr)
	wrong := card
	wrong.Entity = "Operator"
	s.refuse(2, "the hub operator", append(s.plans("wrong.json"), "--replace", "3="+s.write("wrong-card.json", wrong))...)
	order := s.order("replace", "--replace", "3="+file)
	s.do("keyholder", "consent", "--dir", s.path("holder-1"), order) // shows only
	for _, id := range []string{"holder-1", "holder-2", "holder-4"} {
		s.do("keyholder", "consent", "--dir", s.path(id), order, "--yes")
	}
	s.follow(2, "holder-1", "holder-2", "holder-4")
	submit(2)

	s.until("a proof", func() bool { return s.at("hotline-a", "receipts", "--out", s.path("receipts")) != "" })
	s.advance(2 * time.Hour)
	var in desk.Inbox
	s.until("one lead of all three", func() bool { in = s.inbox("police"); return len(in.Leads) == 1 })
	id := strings.TrimSpace(s.at("police", "request", in.Leads[0].ID, "--purpose", "investigation", "--basis", "basis-1", "--reason", "an exercise"))
	s.at("police", "approve", id, "--reason", "an exercise")
	s.at("overseer", "approve", id, "--reason", "an exercise")
	s.until("the request in the log", func() bool { return s.state(id) == "logged" || s.state(id) == "released" })
	s.advance(8 * time.Hour)
	s.until("the release", func() bool { return s.state(id) == "released" })
	lead := s.at("police", "open", id)
	for _, want := range []string{"A-17", "P-3", "H-9"} {
		if !strings.Contains(lead, want) {
			t.Errorf("the lead does not show %q:\n%s", want, lead)
		}
	}
	if out := s.at("bank-a", "status"); !strings.Contains(out, "key shares of generation 0") {
		t.Errorf("this desk had nothing to ask since: %s", out)
	}
	if out := s.at("hotline-a", "status"); !strings.Contains(out, "key shares of generation 2") {
		t.Errorf("this desk followed by itself: %s", out)
	}
	if out := s.do("verify", "--hub", s.hub, "--pin", s.pin, "--state", s.path("seen.json"), "--demo", "--demo-clock", s.clock); !strings.Contains(out, "generation 2 in force") {
		t.Errorf("verify says:\n%s", out)
	}
	s.until("the signed statements", func() bool { r := s.shares(); return r.Destroyed[0] == 3 && r.Destroyed[1] == 2 })
	s.nothingOpens(old, s.share("holder-2"))
	s.olderIsRefused()
}

// olderIsRefused: a hub that leaves out what came after the ceremony is caught by
// a desk that has seen more, and by whoever asks the key holders.
func (s *stage) olderIsRefused() {
	s.t.Helper()
	older := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var raw []byte
		s.must(client.Get(r.Context(), http.DefaultClient, s.hub+r.URL.Path, &raw))
		if r.URL.Path == client.PathTranscript {
			var setup client.Setup
			s.must(json.Unmarshal(raw, &setup))
			setup.Reshares = nil
			var err error
			raw, err = json.Marshal(setup)
			s.must(err)
		}
		_, _ = w.Write(raw)
	}))
	defer older.Close()
	s.refuse(1, "older key shares", append([]string{"desk", "join", "--hub", older.URL, "--pin", s.pin}, s.desk("hotline-a")...)...)
	s.refuse(1, "it shows an older record", s.clocked("verify", "--hub", older.URL, "--pin", s.pin, "--state", s.path("other.json"))...)
}

func (s *stage) clocked(args ...string) []string {
	return append(args, "--demo", "--demo-clock", s.clock)
}

func (s *stage) plans(out string) []string {
	return s.clocked("governance", "reshare", "plan", "--hub", s.hub, "--pin", s.pin, "--reason", "an exercise", "-o", s.path(out))
}

// order has two governors order a resharing and gives the signed file.
func (s *stage) order(name string, args ...string) string {
	s.t.Helper()
	s.do(append(s.plans(name+".json"), args...)...)
	s.do("governance", "reshare", "sign", "--key", s.path("gov-1"), "-o", s.path(name+"-1.json"), s.path(name+".json"))
	s.refuse(1, "governance signatures", "governance", "reshare", "send", "--hub", s.hub, s.path(name+"-1.json"))
	s.do("governance", "reshare", "sign", "--key", s.path("gov-2"), "-o", s.path(name+"-2.json"), s.path(name+"-1.json"))
	s.do("governance", "reshare", "send", "--hub", s.hub, s.path(name+"-2.json"))
	return s.path(name + "-2.json")
}

func (s *stage) shares() (r sharesReport) {
	s.t.Helper()
	s.decode(s.do(s.clocked("governance", "reshare", "status", "--hub", s.hub, "--pin", s.pin, "--json")...), &r)
	return r
}

// follow waits until exactly these holders follow a generation.
func (s *stage) follow(generation int, ids ...string) {
	s.t.Helper()
	s.until("the switch", func() bool {
		r := s.shares()
		return r.Generation == generation && len(r.Holders) == len(ids) && !slices.ContainsFunc(r.Holders, func(h shareHolder) bool {
			return h.Follows != generation || !slices.Contains(ids, h.ID)
		})
	})
}

// share reads the payload share that lies in a holder's directory.
func (s *stage) share(id string) group.Share {
	s.t.Helper()
	var f struct {
		Index  int
		Shares map[string][]byte
	}
	s.must(json.Unmarshal([]byte(s.read(id+"/shares.json")), &f))
	x, err := group.ShareFromBytes(f.Index, f.Shares[client.PayloadLabel])
	s.must(err)
	return x
}

// nothingOpens: whoever has these two shares has nothing, though two are enough.
func (s *stage) nothingOpens(shares ...group.Share) {
	s.t.Helper()
	var setup client.Setup
	s.must(client.Get(context.Background(), http.DefaultClient, s.hub+client.PathTranscript, &setup))
	pub, err := setup.PublicKey(client.PayloadLabel)
	s.must(err)
	sealed, label, err := seal.Seal(pub, "story", "2026-11", []byte("header"), []byte("payload"), rand.Reader)
	s.must(err)
	pub.Holders = slices.Clone(pub.Holders)
	var parts []seal.Partial
	for _, x := range shares {
		p, err := seal.Decrypt(x, "story", "2026-11", sealed.KEM, label, rand.Reader)
		s.must(err)
		parts = append(parts, p)
		pub.Holders[x.Index-1] = x.PublicPoint()
	}
	if _, err := seal.Open(pub, "story", "2026-11", []byte("header"), sealed, parts); !errors.Is(err, seal.ErrBox) {
		s.t.Errorf("an old share and a new one together: %v", err)
	}
}
