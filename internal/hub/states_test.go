package hub

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/authz"
	"parallax/opening"
	"parallax/signed"
)

// byID are the routes that take the id of a lead or an opening: how one is
// asked, as whom.
var byID = []struct {
	route, kind string
	people      bool
	send        func(w *swapWorld, me, id string) *http.Request
}{
	{"GET /leads/{id}", "lead", true, func(w *swapWorld, _, id string) *http.Request { return w.get("/leads/" + id) }},
	{"POST " + client.PathFetch, "opening", false, func(w *swapWorld, me, id string) *http.Request {
		return w.post(me, client.PathFetch, client.OpeningID{ID: id})
	}},
	{"POST " + client.PathApprove, "opening", false, func(w *swapWorld, me, id string) *http.Request {
		return w.post(me, client.PathApprove, client.ApproveRequest{ID: id, Approval: signed.Object{Key: me}})
	}},
	{"POST " + client.PathOpenings, "lead", false, func(w *swapWorld, me, id string) *http.Request {
		now := w.clock.Now()
		r := opening.Request{Pool: "pool", Epoch: "2026-11", Manifest: 1, Labels: w.ready.Labels, Purpose: "investigation", LegalBasis: "basis-1",
			Recipient: "police", Playbook: w.ready.Playbook, Time: now.UnixMicro(), Expires: now.AddDate(0, 0, 3).UnixMicro()}
		o, err := signed.Sign(opening.RequestDomain, me, w.keys[me], r)
		must(w.t, err)
		return w.post(me, client.PathOpenings, client.OpeningRequest{Lead: id, Request: o})
	}},
}

// objectStates: what each route answers about a lead or an opening in each of
// its states, and about one that is not there. Who may not ask gets the same
// bytes for all of them.
func objectStates(t *testing.T, w *swapWorld) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# What routes that take an id answer, by the state of what it names (none: nothing is there).\n" +
		"# 400: an approval that is not signed; that its opening is there can be told by who may approve it only.\n" +
		"# Write it anew with: go test ./internal/hub -run TestForeignIDs -update\n")
	states := []string{"released", "requested", "none", "ready"} // asking moves the ready one, so it comes last
	ids := map[string]map[string]string{
		"lead":    {"ready": w.ready.ID, "requested": w.asked.ID, "released": w.released.ID},
		"opening": {"requested": w.opening, "released": w.releasedOpening()},
	}
	for _, x := range byID {
		fmt.Fprintf(&b, "\n%s\n", x.route)
		for _, me := range []string{"bank-a", "officer", "overseer", "nobody"} {
			if me == "nobody" && !x.people {
				me = "stranger"
			}
			w.who.is = personOf(me)
			var line []string
			refused := ""
			for _, state := range states {
				id, ok := ids[x.kind][state]
				if !ok && state != "none" {
					continue
				}
				if state == "none" {
					id = strings.Repeat("0", 32)
				}
				rec := httptest.NewRecorder()
				w.h.ServeHTTP(rec, x.send(w, me, id))
				line = append(line, fmt.Sprint(state, " ", rec.Code))
				if rec.Code == http.StatusForbidden {
					answer := foreign{id: id}.answer(rec)
					if refused != "" && answer != refused {
						t.Errorf("%s tells %s what there is:\n%s\n%s", x.route, me, refused, answer)
					}
					refused = answer
				}
			}
			fmt.Fprintf(&b, "  %-10s %s\n", me, strings.Join(line, ", "))
		}
	}
	golden(t, "testdata/states.txt", b.String())
}

// personOf is the person that a name of the world stands for on pages.
func personOf(name string) authz.Principal {
	p := authz.Principal{Kind: authz.Person, Person: name}
	switch name {
	case "officer":
		p.Organisation, p.Roles = "police", []authz.Role{authz.LeadReviewer}
	case "overseer":
		p.Organisation, p.Roles = "Oversight", []authz.Role{authz.OversightBoard}
	case "bank-a":
		p.Organisation, p.Roles = name, []authz.Role{authz.ContributorAnalyst}
	default:
		return authz.Principal{}
	}
	return p
}

// releasedOpening is the id of the opening of the released lead.
func (w *swapWorld) releasedOpening() (id string) {
	w.t.Helper()
	w.rows(`SELECT id FROM leads_opening WHERE state = 'released'`, func(scan func(...any) error) error { return scan(&id) })
	return id
}
