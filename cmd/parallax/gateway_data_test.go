package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/internal/gateway/law"
)

// deskOfCounsel is a folder with an overlay and the keys of two counsel.
type deskOfCounsel struct {
	t   *testing.T
	dir string
}

func newDeskOfCounsel(t *testing.T) deskOfCounsel {
	t.Helper()
	d := deskOfCounsel{t, t.TempDir()}
	overlay, err := os.ReadFile("testdata/gateway-overlay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d.write("bank.yaml", strings.Replace(string(overlay), "review_status: \"simulated\"", "review_status: \"reviewed by everybody\"", 1))
	var cards []json.RawMessage
	for _, id := range []string{"a", "b"} {
		cards = append(cards, json.RawMessage(d.run(exitDone, "key", "--key", d.path(id), "--id", id, "--entity", "example-bank")))
	}
	list, err := json.Marshal(cards)
	if err != nil {
		t.Fatal(err)
	}
	d.write("counsel.json", string(list))
	return d
}

func (d deskOfCounsel) path(name string) string { return filepath.Join(d.dir, name) }

func (d deskOfCounsel) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d deskOfCounsel) run(want int, args ...string) string {
	d.t.Helper()
	code, out, errs := command(d.t, append([]string{"gateway"}, args...)...)
	if code != want {
		d.t.Fatalf("%v: exit %d, want %d\n%s%s", args, code, want, out, errs)
	}
	return out + errs
}

func (d deskOfCounsel) sign(want int, id, from string) string {
	d.t.Helper()
	return d.run(want, "sign", d.path("bank.yaml"), "--key", d.path(id), "-o", d.path("pub.json"), "--from", from, "--review", "reviewed for Example Bank (simulated)")
}

func (d deskOfCounsel) ask(want int, more ...string) string {
	d.t.Helper()
	return d.run(want, append([]string{"route", "--from", "au.fsp", "--to", "plx.pool", "--holds", "token", "--wants", "token", "--purpose", "detect",
		"--facts", "pool_agent,reasonable_belief_enforcement", "--as-of", "2026-11-23"}, more...)...)
}

// TestGatewaySaysWhatWasReviewed: a file's own word that it was reviewed counts
// for nothing, and a signed overlay leaves the rows under it unreviewed.
func TestGatewaySaysWhatWasReviewed(t *testing.T) {
	d := newDeskOfCounsel(t)
	over := []string{"--overlay", d.path("bank.yaml")}
	if out := d.ask(exitDone, over...); !strings.HasPrefix(out, "YES") || !strings.Contains(out, "needs review by counsel; unsigned, it says of itself: reviewed by everybody") {
		t.Error(out)
	}
	over = append(over, "--published", d.path("pub.json"))
	if out := d.ask(exitBad, over...); !strings.Contains(out, "--counsel") {
		t.Error(out)
	}
	d.sign(exitDone, "a", "2026-01-01")
	if out := d.sign(exitFailed, "b", "2026-02-01"); !strings.Contains(out, "another statement") {
		t.Error(out)
	}
	d.sign(exitDone, "b", "2026-01-01")
	out := d.ask(exitDone, append(over, "--counsel", d.path("counsel.json"))...)
	if !strings.HasPrefix(out, "YES") || !strings.Contains(out, "reviewed for Example Bank (simulated) (signed by a and b") {
		t.Error(out)
	}
	if !strings.Contains(out, "needs review by counsel") || strings.Contains(out, "everybody") {
		t.Error("the rows under the overlay pass for reviewed, or the overlay's own word is shown", out)
	}
}

func TestGatewayLintExitCodes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	text := strings.Replace(string(law.BuiltInText()), "to: [plx.pool]", "to: [plx.poll]", 1)
	if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := command(t, "gateway", "lint", "--json")
	var got struct {
		Failing  int
		Findings []law.Finding
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone || got.Failing != 0 || len(got.Findings) == 0 {
		t.Errorf("exit %d %v %s", code, err, out)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"warnings are strict", []string{"--strict"}, exitFailed, "warning"},
		{"unknown code", []string{bad}, exitFailed, `"plx.poll"`},
		{"no file", []string{filepath.Join(dir, "absent.yaml")}, exitBad, "cannot be read"},
	} {
		if code, out, errs := command(t, append([]string{"gateway", "lint"}, c.args...)...); code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: exit %d\n%s%s", c.name, code, out, errs)
		}
	}
}

func TestGatewayDiffNamesAnswers(t *testing.T) {
	d := newDeskOfCounsel(t)
	out := d.run(exitDone, "diff", "-", d.path("bank.yaml"))
	for _, s := range []string{"changed AU-POOL-AGENT", "status: uncertain -> in_force", "was ask_counsel", "is  yes; routes"} {
		if !strings.Contains(out, s) {
			t.Errorf("the diff does not say %q:\n%s", s, out)
		}
	}
	if out := d.run(exitBad, "diff", d.path("absent-"), d.path("bank.yaml")); !strings.Contains(out, "absent-") {
		t.Error(out)
	}
}

// TestGatewayDueIsLocalTime: the time stands in the zone that it was given in,
// so it carries none.
func TestGatewayDueIsLocalTime(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"AU-AMLCTF-41", "--since", "2026-12-23T18:00", "--urgent"}, "due Thursday 24 December 2026, 18:00"},
		{[]string{"AU-AMLCTF-41", "--since", "2026-12-23T18:00", "--in", "AU-QLD", "--json"}, `"due": "2026-12-30T23:59:59"`},
		{[]string{"US-2258A", "--since", "2026-12-23", "--json"}, `"due": ""`},
		{[]string{"US-2258A", "--since", "2026-12-23"}, "as soon as reasonably possible after"},
	} {
		if code, out, errs := command(t, append([]string{"gateway", "due"}, c.args...)...); code != exitDone || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errs)
		}
	}
}
