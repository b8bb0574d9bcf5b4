package hub

import (
	"net/http"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/authz"
)

// Every way to read what members' observations have in common, with a log that
// cannot be written: nothing leaves. A route that reads leads and is not in this
// table fails the test.
func TestNothingLeavesWhenTheLogCannotBeWritten(t *testing.T) {
	w := openedWorld(t)
	size, _, err := w.hub.tlog.Latest(t.Context())
	must(t, err)
	released := w.releasedOpening()
	messages := map[string]struct {
		who  string
		body any
	}{
		client.PathLeads:     {"officer", struct{}{}},
		client.PathList:      {"officer", struct{}{}},
		client.PathFetch:     {"officer", client.OpeningID{ID: released}},
		client.PathAudit:     {"auditor", client.AuditRequest{Size: size}},
		client.PathCorrected: {"officer", struct{}{}},
		client.PathSubjects:  {"officer", struct{}{}},
		client.PathRetained:  {"officer", struct{}{}},
		client.PathRetain:    {"officer", client.RetainRequest{Opening: released, Outcome: client.RetainKeep, Reason: "still needed"}},
	}
	pages := map[string]string{"/openings": "/openings", "/leads/{id}": "/leads/" + w.ready.ID, "/corrections": "/corrections"}
	w.everyRead(messages, pages)
	secrets := []string{w.ready.ID, w.asked.ID, w.released.ID, w.opening, w.ready.Labels[0].String()}
	check := func(path string, status int, body string) {
		if status != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", path, status)
		}
		for _, s := range secrets {
			if strings.Contains(body, s) && !strings.Contains(path, s) {
				t.Errorf("%s: something left with a log that cannot be written", path)
			}
		}
	}
	w.exec(noLog)
	// Whether anything waits, which a page asks every few seconds: no read.
	if _, body, _ := w.browse(roles[authority], "/openings/state"); strings.Contains(body, w.opening) || len(body) > 200 {
		t.Errorf("what a page polls says more than whether something waits: %s", body)
	}
	var waits []byte
	if err := w.call("officer", client.PathWaiting, struct{}{}, &waits); err != nil || strings.Contains(string(waits), w.opening) || len(waits) > 60 {
		t.Errorf("what a desk polls says more than whether something moved: %s, %v", waits, err)
	}
	for path, x := range messages {
		var raw []byte
		err := w.call(x.who, path, x.body, &raw)
		check(path, status(err), string(raw))
	}
	for _, path := range pages {
		for _, as := range []string{roles[authority], roles[oversight]} {
			status, body, _ := w.browse(as, path)
			check(path, status, body)
		}
	}
	w.exec(`DROP TRIGGER no_log`)
	for path, x := range messages {
		if err := w.call(x.who, path, x.body, nil); err != nil {
			t.Errorf("%s, with a log that can be written: %v", path, err)
		}
	}
	for _, path := range pages {
		if status, _, _ := w.browse(roles[authority], path); status != http.StatusOK {
			t.Errorf("%s, with a log that can be written: %d", path, status)
		}
	}
}

// everyRead finds the routes that read leads in the table of routes.
func (w opened) everyRead(messages map[string]struct {
	who  string
	body any
}, pages map[string]string) {
	w.t.Helper()
	reads := map[authz.Action]bool{authz.ReadLeads: true, authz.ReadOpenings: true, authz.FetchOpening: true, authz.AuditLog: true}
	for _, rt := range w.hub.routes {
		_, message := messages[rt.Path]
		_, page := pages[rt.Path]
		says := rt.Path == "/openings/state" || rt.Path == client.PathWaiting || rt.Path == client.PathCorrectedAck // whether anything moved; the time of a receipt
		if reads[rt.Action] && !message && !page && !says {
			w.t.Errorf("%s reads leads and is not in this test", rt.Path)
		}
	}
}

// releasedOpening is the id of the opening that key holders have released.
func (w opened) releasedOpening() string {
	w.t.Helper()
	var list client.Openings
	must(w.t, w.call("officer", client.PathList, struct{}{}, &list))
	for _, o := range list.Openings {
		if o.State == "released" {
			return o.ID
		}
	}
	w.t.Fatal("nothing is released")
	return ""
}
