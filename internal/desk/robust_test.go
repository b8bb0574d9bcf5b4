package desk

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/selector"
)

func TestMappingToMissingColumnsNamesTheNearest(t *testing.T) {
	m := Mapping{Reference: "case_ref", Columns: map[string]ColumnMapping{"e_mail": {Class: selector.Email}, "telephone": {Class: selector.Phone, Prefix: "bsb"}}}
	for name, in := range map[string]string{
		"a.csv":    "Case Ref,Email,zzz\n1,a@mail-one.net,x\n",
		"a.ndjson": `{"Case Ref":1,"Email":"a@mail-one.net","zzz":"x"}` + "\n",
	} {
		_, err := Check(File(file(t, name, in)), &m, today, nil)
		text := fault.Sentence(err)
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{`"bsb"`, `"case_ref" (nearest: "Case Ref")`, `"e_mail" (nearest: "Email")`, `"telephone"`, `["Case Ref" "Email" "zzz"]`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s: %s", name, want, text)
			}
		}
		if strings.Contains(text, `"telephone" (nearest`) {
			t.Errorf("%s guesses wildly: %s", name, text)
		}
	}
	// Where lines leave out what they do not know, a name that no line has is fine
	// unless it looks like a slip.
	sparse := Mapping{Reference: "ref", Columns: map[string]ColumnMapping{"email": {Class: selector.Email}, "phone": {Class: selector.Phone, Country: "AU"}}}
	for line, want := range map[string]string{
		`{"ref":"1","email":"a@mail-one.net"}`:                                 "",
		`{"ref":"1","email":"a@mail-one.net","phones":"0412 345 678"}`:         `"phone" (nearest: "phones")`,
		`{"email":"a@mail-one.net","phone":"0412 345 678"}`:                    `"ref"`,
		`{"ref":"1","mobile":"0412 345 678","address":"a@mail-one.net","x":1}`: `"email", "phone"`,
	} {
		_, err := Check(File(file(t, "a.ndjson", line+"\n")), &sparse, today, nil)
		if want == "" && err != nil || want != "" && !strings.Contains(fault.Sentence(err), "no column "+want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := Check(File(file(t, "a.csv", "Email\nx\n")), &Mapping{Format: FormatNDJSON, Columns: m.Columns}, today, nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a mapping for another format: %v", err)
	}
}

func TestAmbiguousJSONIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"twice":         {`{"a":1,"b":2,"a":3}`, `line 1: the name "a" stands twice`},
		"twice below":   {`{"x":{"a":1,"a":2}}`, `the name "a" stands twice`},
		"twice in list": {`{"x":[{"a":1},{"a":1,"a":2}]}`, `the name "a" stands twice`},
		"by escape":     {`{"a":1,"\u0061":2}`, `the name "a" stands twice`},
		"dotted":        {`{"a":{"b":1},"a.b":2}`, `spell the same column`},
		"too deep":      {strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "inside each other"},
	} {
		_, err := readAll(c.text+"\n", "a.ndjson")
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rows, err := readAll(`{"a":{"x":1},"b":{"x":2},"c":[{"x":1},{"x":2}],"d":"x"}`, "a.ndjson")
	if err != nil || rows[0].Cells["b.x"] != "2" || rows[0].Cells["c"] != `[{"x":1},{"x":2}]` {
		t.Errorf("the same name in different objects: %v %v", rows, err)
	}
}

// generated is a file of many rows that nobody has to write.
type generated struct{ rows int }

func (generated) Name() string { return "big.csv" }

func (g generated) Open() (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		fmt.Fprintln(w, "case_id,email,mobile")
		for i := range g.rows {
			if _, err := fmt.Fprintf(w, "C-%d,person.number%d@mail-one.net,not a number\n", i, i); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r, nil
}

// checkLarge checks a file with an issue on every line and gives the most bytes
// that were held meanwhile, beyond what was held before.
func checkLarge(tb testing.TB, rows int) int64 {
	tb.Helper()
	m := Mapping{Columns: map[string]ColumnMapping{"email": {Class: selector.Email}, "mobile": {Class: selector.Phone, Country: "AU"}}}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	rep, err := Check(generated{rows}, &m, today, func(n int) error {
		if n%20_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		return nil
	})
	if err != nil || rep.Rows != rows || rep.Observations != rows || rep.Reasons["bad-phone"] != rows || len(rep.Issues)+rep.MoreIssues != rows || len(rep.Issues) > maxIssues {
		tb.Fatalf("%d rows, %d observations, %d + %d issues, %v", rep.Rows, rep.Observations, len(rep.Issues), rep.MoreIssues, err)
	}
	return int64(most) - int64(before.HeapAlloc)
}

// A file of any length is checked in bounded memory. BenchmarkCheck does the
// same with as many rows as it is told: -benchtime 1000000x is a million.
func TestCheckOfALargeFileIsBounded(t *testing.T) {
	if held := checkLarge(t, 60_000); held > 8<<20 {
		t.Errorf("checking held %d MB", held>>20)
	}
}

func BenchmarkCheck(b *testing.B) {
	held := checkLarge(b, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(max(held, 0))/(1<<20), "MB-held")
}

// A desk whose clock is an hour off is told so, by how much, and that nothing
// was done.
func TestClockOffByAnHour(t *testing.T) {
	ctx := context.Background()
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		w, bank := memberDesk(t)
		bank.clock = clock.Fixed(today.Add(off))
		p, err := bank.Plan(ctx, File(file(t, "people.csv", people)), peopleMapping)
		must(t, err)
		_, err = bank.Submit(ctx, p, "b1", nil)
		text := fault.Sentence(err)
		if fault.KindOf(err) != fault.Forbidden || !strings.Contains(text, "This desk's clock and the receiver's differ") || !strings.Contains(text, (-off).String()) || len(w.batches) != 0 {
			t.Errorf("%s off: %v", off, err)
		}
		police, card := w.desk(RoleAuthority, "police", "")
		w.publish(card)
		_, err = police.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
		police.clock = clock.Fixed(today.Add(off))
		if _, err := police.Inbox(ctx); !strings.Contains(fault.Sentence(err), "This desk's clock and the receiver's differ") {
			t.Errorf("at the hub: %v", err)
		}
	}
}

// The hub goes away after the first of three contributions and comes back: the
// rest follows, nothing is charged or stored twice.
func TestHubAwayMidSubmission(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.daily = 4096
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	const rows = 600
	in := File(file(t, "many.csv", emails("a", rows)))
	plan := func() Plan {
		p, err := bank.Plan(ctx, in, peopleMapping)
		must(t, err)
		return p
	}
	w.gone = 2
	if _, err := bank.Submit(ctx, plan(), "b1", nil); fault.KindOf(err) != fault.Unavailable || len(w.batches) != 1 {
		t.Fatalf("the hub away: %v, %d contributions", err, len(w.batches))
	}
	st, err := bank.Status(ctx)
	must(t, err)
	if st.Contributions != 1 || st.Unsent != 1 || st.OpenBatches != 1 {
		t.Errorf("after the break: %+v", st)
	}
	w.gone = 0
	w.settle()
	p := plan()
	if c := class(p, selector.Email); c.Points != 0 || p.Observations != rows-2*maxObservations {
		t.Errorf("what is left: %+v, %d observations", c, p.Observations)
	}
	res, err := bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	if res.Resent != 1 || res.Observations != rows-2*maxObservations || len(w.batches) != 3 || len(w.charges[0]) != 1 {
		t.Errorf("%+v, %d contributions, %d charges", res, len(w.batches), len(w.charges[0]))
	}
	labels := make(map[string]bool)
	for _, b := range w.batches {
		for _, c := range b.Observations {
			l, err := c.Observation.Label()
			must(t, err)
			labels[string(l[:])] = true
		}
	}
	if len(labels) != rows {
		t.Errorf("%d different observations arrived, want %d", len(labels), rows)
	}
}

// A full disk stops a submission with its reason; with room again it goes on.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	w, bank := memberDesk(t)
	in := File(file(t, "people.csv", people))
	p, err := bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	pages := func(n int) {
		t.Helper()
		must(t, bank.records.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n))
			return err
		}))
	}
	pages(1) // no page more than there is
	_, err = bank.Submit(ctx, p, "b1", nil)
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "disk full") || len(w.batches) != 0 {
		t.Fatalf("a full disk: %v, %d contributions", err, len(w.batches))
	}
	pages(1 << 20)
	p, err = bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	if res, err := bank.Submit(ctx, p, "b1", nil); err != nil || res.Observations != 2 || len(w.batches) != 1 {
		t.Errorf("with room again: %+v, %v", res, err)
	}
}

// A lead in which somebody may be a child: the playbook comes first, identifiers
// never travelled, exports are refused, and every read is logged all the same.
func TestPossibleVictimLead(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	police, policeCard := w.desk(RoleAuthority, "police", "")
	overseer, overCard := w.desk(RoleApprover, "overseer", "")
	w.publish(policeCard, overCard)
	for _, d := range []*Desk{police, overseer} {
		_, err := d.Join(ctx, w.url, w.setup.Transcript.Hash())
		must(t, err)
	}
	m := peopleMapping
	m.Role = "=" + opening.RolePossibleVictim
	p, err := police.Plan(ctx, File(file(t, "people.csv", people)), m)
	must(t, err)
	_, err = police.Submit(ctx, p, "b1", nil)
	must(t, err)
	w.readyLead(opening.PlaybookChildPossible)
	v := visit(t, police).enter()
	code, text := v.get("/leads/l1")
	v.want("request", code, http.StatusOK, text, "no other playbook is possible")
	grounds := url.Values{"basis": {"b1"}, "playbook": {opening.PlaybookStandard}}
	code, text = v.post("/leads/l1/review", grounds)
	v.want("the standard playbook", code, http.StatusUnprocessableEntity, text, "Choose the playbook that this lead allows")
	grounds.Set("playbook", opening.PlaybookChildPossible)
	grounds.Set("labels", strings.Repeat("0", 64))
	code, text = v.post("/leads/l1", grounds)
	v.want("other observations than were shown", code, http.StatusConflict, text, "Nothing was signed")
	grounds.Set("labels", labelsDigest(w.lead))
	code, text = v.post("/leads/l1", grounds)
	v.want("without a reason", code, http.StatusUnprocessableEntity, text, "Write the reason", "Sign the request?")
	grounds.Set("reason", "An exercise with nobody in it.")
	code, text = v.post("/leads/l1", grounds)
	v.want("request", code, http.StatusOK, text, "Sign this approval", "nobody yet")
	code, text = v.post("/openings/o1/approve", url.Values{"digest": {strings.Repeat("0", 64)}, "reason": {"An exercise with nobody in it."}})
	v.want("an approval of something else", code, http.StatusConflict, text, "The approval was not recorded")
	w.opening.State = "released"

	code, text = v.post("/openings/o1/lead", nil)
	v.want("lead", code, http.StatusOK, text, "Protect first", "Possible victim", "Export is refused", "identifiers of a person who may have been harmed never travel", "Own records")
	if strings.Index(text, "Protect first") > strings.Index(text, "Evidence by source") || strings.Contains(text, "first.person") {
		t.Error("the playbook does not come first, or an identifier travelled")
	}
	code, text = v.post("/openings/o1/own.csv", nil)
	v.want("export", code, http.StatusForbidden, text, "exports are refused", "Nothing was exported")
	log, err := os.ReadFile(police.readsPath())
	must(t, err)
	if n := strings.Count(string(log), "\n"); n != 3 || !strings.Contains(string(log), `"act":"request"`) {
		t.Errorf("%d acts and reads are logged, want 1 and 2", n)
	}
	must(t, os.Remove(police.readsPath()))
	must(t, os.Mkdir(police.readsPath(), 0o700)) // the log cannot be written
	code, text = v.post("/openings/o1/lead", nil)
	v.want("without a log", code, http.StatusServiceUnavailable, text, "nothing was read", "The lead was not shown")
}
