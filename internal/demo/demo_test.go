package demo

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/desk"
	"parallax/internal/sim"
	"parallax/signed"
)

// shell is a program whose parts are small shell scripts.
func shell(t *testing.T) (p *program, url string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("skipped: there is no shell on this machine")
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	if p, err = newProgram(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	p.exe = sh
	t.Cleanup(p.stop)
	return p, srv.URL
}

// A part that ends by itself is named, with what it said.
func TestPartsThatEndAreNamed(t *testing.T) {
	p, url := shell(t)
	err := p.serve(t.Context(), "holder-1", "http://127.0.0.1:1/", "-c", "echo no disk >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "holder-1 ended at its start") || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("a part that does not start: %v", err)
	}
	p, url = shell(t)
	if err := p.serve(t.Context(), "hub", url, "-c", "echo out of memory >&2; exit 4"); err != nil {
		t.Fatal(err)
	}
	<-p.died
	if err := p.cause(); err == nil || !strings.Contains(err.Error(), "hub ended by itself") || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("a part that ends later: %v", err)
	}
	_, err = p.run(t.Context(), "-c", "echo 'parallax: that is wrong' >&2; exit 2")
	if f, ok := asFailed(err); !ok || f.Code != 2 || f.Sentence() != "that is wrong" {
		t.Errorf("a command that fails: %v", err)
	}
}

// stop ends parts by their lifeline and waits for them.
func TestStopEndsParts(t *testing.T) {
	p, url := shell(t)
	for _, name := range []string{"one", "two"} {
		if err := p.serve(t.Context(), name, url, "-c", "cat > /dev/null; echo ended in order"); err != nil {
			t.Fatal(err)
		}
	}
	parts := slices.Clone(p.parts)
	p.stop()
	for _, x := range parts {
		select {
		case <-x.done:
		default:
			t.Errorf("%s still runs", x.name)
		}
		if said := x.said.String(); said != "ended in order" {
			t.Errorf("%s said %q", x.name, said)
		}
	}
}

func TestChildEnvDropsRealPlaces(t *testing.T) {
	got := childEnv([]string{"PATH=/bin", "PARALLAX_HUB_DATABASE=postgres://real", "PARALLAX_DESK_PASSPHRASE=x", "PARALLAX_TEST_AS_PROGRAM=1"})
	if want := []string{lifelineVar + "=1", "PATH=/bin", "PARALLAX_TEST_AS_PROGRAM=1"}; !slices.Equal(got, want) {
		t.Errorf("a part gets %v, want %v", got, want)
	}
}

func TestTogetherGivesTheFirstError(t *testing.T) {
	first := errors.New("the first")
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	err := together(t.Context(), waits, func(context.Context) error { return first })
	if !errors.Is(err, first) {
		t.Errorf("together: %v", err)
	}
	if err := together(t.Context()); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
}

func TestProgressOfAWalk(t *testing.T) {
	by := func(ids ...string) *client.OpeningState {
		o := &client.OpeningState{State: "requested"}
		for _, id := range ids {
			o.Approvals = append(o.Approvals, signed.Object{Key: id})
		}
		return o
	}
	released := by(authorityID, overseerID)
	released.State = "released"
	for i, c := range []struct {
		p    progress
		want int
	}{
		{progress{}, atReady}, {progress{Lead: &client.Lead{}}, atRequested}, {progress{Opening: by()}, atAuthority},
		{progress{Opening: by(overseerID)}, atAuthority}, {progress{Opening: by(authorityID)}, atOversight},
		{progress{Opening: by(authorityID, overseerID)}, atReleased}, {progress{Opening: released}, atRead},
		{progress{Opening: released, Read: &desk.Lead{}}, len(walkSteps)},
	} {
		if got := c.p.at(); got != c.want {
			t.Errorf("case %d is at %d, want %d", i, got, c.want)
		}
	}
}

// The walk takes a bank's lead where there is one, its row first, never the
// planted one.
func TestChooseLead(t *testing.T) {
	w, err := sim.New(sim.DefaultParams(7, 10_000))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := w.Write(dir); err != nil {
		t.Fatal(err)
	}
	d, err := sim.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	followed, spare := choose(d)
	if first(followed) != (sim.Ref{Organisation: "bank-b", Reference: "SIM-BANKB-000050"}) || len(followed) != 5 || len(spare) == 0 {
		t.Errorf("follows %v, spare %v", followed, spare)
	}
	x := &site{tour: &tour{s: &stage{dir: t.TempDir(), data: d}}}
	if err := os.Symlink(dir, x.s.path("world")); err != nil {
		t.Fatal(err)
	}
	l, err := x.line(first(followed))
	if err != nil || l.Number != 51 || l.Cells[0] != (cell{"reference", "SIM-BANKB-000050"}) || strings.Count(l.Text, "\n") != 1 {
		t.Errorf("line %+v, %v", l, err)
	}
	if rows, points := x.about(first(followed)); rows != 1 || points != 1 {
		t.Errorf("the bank holds %d rows with %d points", rows, points)
	}
}

// Another name for this machine gets nothing: the pages hold the desks' keys.
func TestOnlyLoopbackNames(t *testing.T) {
	h := loopbackOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) }))
	for host, want := range map[string]int{"127.0.0.1:7000": 200, "localhost:7000": 200, "[::1]:7000": 200, "evil.example:7000": 421, "10.0.0.1": 421, "127.0.0.1.evil.example": 421} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s answers %d, want %d", host, rec.Code, want)
		}
	}
}

func TestBackStaysHere(t *testing.T) {
	for to, want := range map[string]string{"/follow": "/follow", "": "/", "//evil.example": "/", "https://evil.example": "/", "/a\\b": "/"} {
		r := httptest.NewRequest(http.MethodPost, "/clock", strings.NewReader("back="+to))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := back(r, "/"); got != want {
			t.Errorf("back=%q leads to %q, want %q", to, got, want)
		}
	}
}
