package desk

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/browsertest"
	"parallax/internal/vocab"
	"parallax/opening"
	"parallax/selector"
)

// ill is a world in which a member, the hub and key holders write payloads into
// whatever a desk shows.
type ill struct {
	*world
	*browsertest.Pen
	look         *browsertest.Hostile
	bank, police *visitor
	ref, column  string
	at           map[string]string // by pattern's part: what to put there
	seen         string
}

// as lets the browser in at a desk's page.
func (w *ill) as(v *visitor) {
	at, err := url.Parse(v.base)
	must(w.t, err)
	cookies := v.http.Jar.Cookies(at)
	cookies[0].Path = "/"
	w.look.As(v.base, cookies...)
}

// hostileDesks makes a member whose names, file, columns and rows are payloads,
// and an authority that has asked for what it sent.
func hostileDesks(t *testing.T, b *browsertest.Browser, from int) *ill {
	w := &ill{world: newWorld(t), Pen: browsertest.NewPen(from), look: b.Hostile(t), at: map[string]string{}}
	ctx := context.Background()
	w.daily = 4096
	dir := filepath.Join(t.TempDir(), "hostile")
	bankCard, err := Init(dir, Profile{ID: w.Text("id of a member", 300, false), Name: w.Text("name of a member", 300, false), Entity: w.Maybe("body of a member", 300), Sector: "bank", Role: RoleContributor}, "", rand.Reader)
	must(t, err)
	bank, err := Open(ctx, Options{Dir: dir, Clock: w.clock})
	must(t, err)
	t.Cleanup(func() { bank.Close() })
	w.law(bank)
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	w.publish(bankCard, policeCard, overCard)
	for _, d := range []*Desk{bank, police, overseer} {
		_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	w.bank, w.police = visit(t, bank).enter(), visit(t, police).enter()
	w.ref, w.column = w.Text("case reference", 200, true), w.Maybe("name of a column", 200)
	note := w.Text("note to the authority", 200, true)
	var text strings.Builder
	rows := csv.NewWriter(&text)
	must(t, rows.WriteAll([][]string{{"ref", "email", "note", w.column}, {w.ref, "first.person@gmail.com", note, w.Maybe("a refused cell", 200)}}))
	path := file(t, "rows.csv", text.String())
	m := Mapping{Format: FormatCSV, Reference: "ref", Note: "note", Strength: "=2", Columns: map[string]ColumnMapping{"email": {Class: selector.Email}}}
	p, err := bank.Plan(ctx, File(path), m)
	must(t, err)
	_, err = bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	if code, page := w.bank.upload(w.Text("name of a file", 200, true)+".csv", text.String(), nil); code != http.StatusOK {
		t.Fatalf("uploading: %d %s", code, main(page))
	}
	w.at["work"] = strings.TrimPrefix(w.bank.lastWork(), "/check/")
	w.readyLead("")
	w.lead.Conditions = []opening.Condition{{Name: w.Text("a condition that the hub names", 300, false), Have: 1, Need: 1}}
	w.at["lead"], w.at["id"] = "l1", "o1"
	return w
}

// unshown are inputs that no page of a desk shows, and why.
var unshown = map[string]string{
	"id of a member": "its name is shown",
}

// forms says for every form of a desk what is written into it: good so that it
// is taken, free the fields that take any text.
func (w *ill) forms() map[string]struct {
	who  *visitor
	good url.Values
	free []string
} {
	type form = struct {
		who  *visitor
		good url.Values
		free []string
	}
	labels := labelsDigest(w.lead)
	return map[string]form{
		"POST /check":                   {w.bank, url.Values{"path": {"x"}}, nil},
		"POST /check/{work}/mapping":    {w.bank, url.Values{"column-0": {"fact:reference"}, "column-1": {"class:email"}, "column-2": {"fact:note"}, "column-3": {"class:phone"}}, []string{"country", "all-kind", "all-platform"}},
		"POST /check/{work}/forget":     {w.bank, nil, nil},
		"POST /submit/kept":             {w.bank, nil, nil},
		"POST /submit/{work}":           {w.bank, url.Values{"shown": {"x"}}, []string{"basis"}},
		"POST /withdraw/review":         {w.bank, url.Values{"reference": {w.ref}}, []string{"reason"}},
		"POST /withdraw":                {w.bank, url.Values{"reference": {w.ref}}, []string{"reason"}},
		"POST /correct/review":          {w.bank, url.Values{"reference": {w.ref}, "kind": {opening.DenyFreeze}}, []string{"reason"}},
		"POST /correct":                 {w.bank, url.Values{"reference": {w.ref}, "kind": {opening.DenyFreeze}}, []string{"reason"}},
		"POST /outcomes/fetch":          {w.bank, nil, nil},
		"POST /sent/proofs":             {w.bank, nil, nil},
		"POST /leads/{lead}/review":     {w.police, url.Values{"basis": {"b1"}, "playbook": {"standard"}, "labels": {labels}}, []string{"reason"}},
		"POST /leads/{lead}":            {w.police, url.Values{"basis": {"b1"}, "playbook": {"standard"}, "labels": {labels}}, []string{"reason"}},
		"POST /openings/{id}/approve":   {w.police, url.Values{"digest": {"x"}}, []string{"reason"}},
		"POST /openings/{id}/review":    {w.police, url.Values{"finding": {"x"}}, []string{"reason"}},
		"POST /openings/{id}/handling":  {w.police, url.Values{"step": {"deconflict"}, "word": {"x"}, "before": {"x"}, "gateway": {"x"}, "to": {"x"}}, []string{"reason"}},
		"POST /openings/{id}/lead":      {w.police, nil, nil},
		"POST /openings/{id}/referrals": {w.police, nil, []string{"to", "how"}},
		"POST /corrections/told":        {w.police, url.Values{"whom": {"x x"}}, []string{"how"}},
	}
}

// notPages are answers that a browser keeps as a file.
var notPages = regexp.MustCompile(`\.(csv|json)$`)

var pathPart = regexp.MustCompile(`\{([a-z]+)\}`)

func (w *ill) fill(path string) string {
	return pathPart.ReplaceAllStringFunc(strings.TrimSuffix(path, "{$}"), func(p string) string { return w.at[p[1:len(p)-1]] })
}

// write fills in a form, first so that it is taken, then with payloads alone.
func (w *ill) write(pattern string) {
	f, ok := w.forms()[pattern]
	if !ok {
		w.t.Errorf("%s: say in forms what is written into it", pattern)
		return
	}
	w.as(f.who)
	path := w.fill(strings.TrimPrefix(pattern, "POST "))
	taken, bad := url.Values{}, url.Values{}
	for name, v := range f.good {
		taken[name] = v
	}
	for _, name := range f.free {
		taken.Set(name, w.Maybe(pattern+" "+name, 300))
	}
	for name := range taken {
		bad.Set(name, w.Maybe("a refused "+name, 2000))
	}
	w.posts(f.who, path, taken)
	if pattern != "POST /openings/{id}/lead" { // which has no field
		w.posts(f.who, path, bad)
	}
}

// posts sends a form. Where the page that answers shows what was written, it is
// sent once more in the browser: forms of a desk can be.
func (w *ill) posts(who *visitor, path string, values url.Values) {
	if _, body := who.post(path, values); w.Shows(body) {
		w.seen += w.look.Post(who.base+path, values)
	}
}

// opens looks at a page where it shows anything that was written.
func (w *ill) opens(who *visitor, path string) (shows bool) {
	_, body := who.get(path)
	if w.Shows(body) {
		w.seen += w.look.Get(who.base + path)
	}
	return w.Shows(body)
}

// pages opens every page for the desk that it is for, as it is and with an
// address that is hostile.
func (w *ill) pages() {
	query := url.Values{}
	for _, name := range []string{"reference", "step", "from", "to", "wants", "purpose", "as_of", "holds", "facts", "started", "place", "from_in", "to_in", "before"} {
		query.Set(name, w.Maybe("the address's "+name, 300))
	}
	for _, v := range []*visitor{w.bank, w.police} {
		w.as(v)
		for _, x := range v.site.addresses() {
			path, isPage := strings.CutPrefix(x.pattern, "GET ")
			if !isPage || notPages.MatchString(path) || x.who != anyone && (x.who == contributors) != (v == w.bank) || x.who == anyone && v == w.police {
				continue
			}
			path = w.fill(path)
			if w.opens(v, path) && os.Getenv("PARALLAX_SOAK") != "" {
				w.look.Check()
			}
			w.opens(v, path+"?"+query.Encode())
		}
		w.opens(v, "/nothing/"+url.PathEscape(w.Maybe("a path", 600)))
	}
}

// round writes everywhere and looks everywhere.
func (w *ill) round(ctx context.Context) {
	police := w.police.site.desk
	w.as(w.bank)
	w.seen += w.look.Get(w.bank.base + w.fill("/check/{work}"))
	sent, err := w.bank.site.desk.Sent(ctx)
	must(w.t, err)
	for pattern := range w.forms() { // those about requests follow in their order
		if !strings.Contains(pattern, "{lead}") && !strings.Contains(pattern, "{id}") && !strings.HasSuffix(pattern, "/forget") && pattern != "POST /withdraw" && pattern != "POST /corrections/told" {
			w.write(pattern)
		}
	}
	w.write("POST /leads/{lead}/review")
	w.write("POST /leads/{lead}")
	w.opening.Holders = []client.HolderState{{Index: 1, State: "refused", Reason: w.Text("a holder's refusal", 300, false)}}
	w.write("POST /openings/{id}/approve")
	w.at["id"] = w.opening.ID
	w.as(w.police)
	w.seen += w.look.Get(w.police.base + "/openings/" + w.opening.ID)
	w.opening.State = "released"
	_, err = police.Refer(ctx, w.opening.ID, w.Text("a recipient", 200, true), w.Text("how it was passed on", 300, true))
	must(w.t, err)
	for _, pattern := range []string{"POST /openings/{id}/lead", "POST /openings/{id}/handling", "POST /openings/{id}/review", "POST /openings/{id}/referrals"} {
		w.write(pattern)
	}
	_, err = w.bank.site.desk.Correct(ctx, Correction{Kind: opening.DenyFreeze, Reference: w.ref, Reason: w.Text("reason of a correction", 300, false)})
	must(w.t, err)
	w.corrected = append(w.corrected, client.CorrectedItem{Denial: w.denials[len(w.denials)-1], Openings: []string{w.opening.ID}, Waiting: true})
	w.write("POST /corrections/told")
	w.seen += w.look.Post(w.police.base+"/openings/"+w.opening.ID+"/lead", nil)
	for _, c := range sent {
		w.seen += w.look.Get(w.bank.base + "/sent/" + c.Root.String())
	}
	w.pages()
	w.tables()
	w.write("POST /withdraw")
	w.write("POST /check/{work}/forget")
	// A hub that refuses everything in words of its own.
	w.says = w.Text("a hub's refusal", 600, false)
	w.as(w.police)
	for _, path := range []string{"/", "/openings", "/corrections", "/leads/l1"} {
		w.seen += w.look.Get(w.police.base + path)
	}
	w.as(w.bank)
	w.seen += w.look.Post(w.bank.base+"/outcomes/fetch", nil)
	for _, x := range w.bank.site.addresses() {
		if _, ok := w.forms()[x.pattern]; !ok && strings.HasPrefix(x.pattern, "POST ") && !notPages.MatchString(x.pattern) {
			w.t.Errorf("%s: say in forms what is written into it", x.pattern)
		}
	}
}

// tables reads every table that a desk gives out: no cell is a formula.
func (w *ill) tables() {
	for _, x := range []struct {
		v    *visitor
		path string
		post bool
	}{{w.bank, "/check/" + w.at["work"] + "/issues.csv", false}, {w.bank, "/sent/list.csv", false}, {w.police, "/openings/o1/own.csv", true}} {
		code, text := x.v.get(x.path)
		if x.post {
			code, text = x.v.post(x.path, nil)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || code != http.StatusOK || len(rows) < 2 && !x.post {
			w.t.Errorf("%s: %d, %v\n%s", x.path, code, err, text)
		}
		for _, row := range rows {
			for _, cell := range row {
				if vocab.Neutral(cell) != cell {
					w.t.Errorf("%s: the cell %q is a formula", x.path, cell)
				}
			}
		}
	}
}

// TestHostileTextAtDesks: whatever a member, a hub or a key holder writes is
// shown as text at every desk. The long form goes through the whole corpus for
// each input.
func TestHostileTextAtDesks(t *testing.T) {
	b := browsertest.Open(t)
	rounds := 1
	if os.Getenv("PARALLAX_SOAK") != "" {
		rounds = 36
	}
	for from := range rounds {
		w := hostileDesks(t, b, from*len(browsertest.Payloads)/rounds)
		w.round(t.Context())
		w.Unseen(t, w.seen, unshown)
		w.look.Close()
		t.Logf("%d inputs, %d pages", len(w.Places), w.look.Pages)
	}
}

// What another site's page sends to a desk is refused and changes nothing, and
// no page of a desk can be framed.
func TestOtherSitesReachNoDesk(t *testing.T) {
	b := browsertest.Open(t)
	w, bank, police, _ := opened(t)
	for _, d := range []*Desk{bank, police} {
		v := visit(t, d)
		c := b.Cross(t, v.base)
		c.Visit(v.base + "/?key=" + testKey)
		before, log := desksState(t, w, bank, police), v.log.Len()
		var forms []string
		for _, x := range v.site.addresses() {
			path, isForm := strings.CutPrefix(x.pattern, "POST ")
			if !isForm || (x.who == approvers) != (d == police) {
				continue
			}
			at := v.base + pathPart.ReplaceAllString(path, "o1")
			forms = append(forms, at)
			if os.Getenv("PARALLAX_SOAK") == "" && len(forms)%5 != 1 {
				continue // a script's request follows for each
			}
			if status, text := c.Post(at, url.Values{"reference": {"R1"}, "reason": {why}, "kind": {"revoke"}}); status != http.StatusForbidden || !strings.Contains(text, "another site") && !strings.Contains(text, "locked") {
				t.Errorf("%s from another origin: %d %s", x.pattern, status, text)
			}
		}
		c.Fetch(forms)
		if after := desksState(t, w, bank, police); after != before || v.log.Len() == log {
			t.Errorf("before %s, after %s", before, after)
		}
		for _, path := range []string{"/", "/openings/o1"} {
			if c.Framed(v.base + path) {
				t.Errorf("%s can be framed", path)
			}
		}
	}
	// The same form from the desk's own page is taken.
	v := visit(t, bank)
	c := b.Cross(t, v.base)
	c.Visit(v.base + "/?key=" + testKey)
	if status, text := c.PostFrom(v.base+"/correct", v.base+"/correct", url.Values{"reference": {"R1"}, "reason": {why}, "kind": {"freeze"}}); status != http.StatusOK || !strings.Contains(text, "Frozen") {
		t.Errorf("from the own page: %d %s", status, text)
	}
}

// desksState is what acts of these desks change: what the hub got, what was
// read, and what is kept.
func desksState(t *testing.T, w *world, desks ...*Desk) string {
	t.Helper()
	w.mu.Lock()
	out := fmt.Sprint(len(w.denials), len(w.batches), len(w.subjects), w.opening.State, len(w.opening.Approvals), len(w.opening.Handling), w.opening.Review != nil)
	w.mu.Unlock()
	for _, d := range desks {
		st, err := d.Status(t.Context())
		must(t, err)
		read, err := os.ReadFile(d.readsPath())
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		out += fmt.Sprintf(" %+v %d", st, len(read))
	}
	return out
}
