package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/demo"
)

// demoRun runs the demonstration as a process to its end.
func demoRun(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	out, errs, err := s.try(append([]string{"demo"}, args...)...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return out, errs, code
}

// One small world through the real processes. The figures are those of the
// seed: another run, machine or day must give the same.
func TestDemoOnce(t *testing.T) {
	out, errs, code := demoRun(t, "--once", "--json", "--seed", "400", "--actors", "60", "--dir", filepath.Join(t.TempDir(), "kept"))
	if code != exitDone {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	var got demo.Summary
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("standard output is not JSON alone: %v\n%s", err, out)
	}
	if got.Seconds["total"] <= 0 || got.Seconds["feed"] <= 0 {
		t.Errorf("seconds: %v", got.Seconds)
	}
	got.Seconds = nil
	want := demo.Summary{Seed: 400, Actors: 60, Organisations: 8, Observations: 26, Contributions: 8, Selectors: 144,
		LeadsReady: 2, LeadsWithdrawn: 1, LeadsOpened: 1, ObservationsOpened: 3,
		Recall: demo.Recall{BestSingle: 2.0 / 60, Union: 2.0 / 60, Joint: 3.0 / 60, JointPerfectLinkage: 3.0 / 60,
			Pool: 1.0 / 60, JointTwoEntities: 3.0 / 60, JointFullClosure: 3.0 / 60},
		RatioToUnion: demo.Ratios{Joint: 1.5, JointTwoEntities: 1.5, JointFullClosure: 1.5, Perfect: 1.5},
		Scorer:       demo.Scorer{LeadsReady: 2, Pool: 1.0 / 60, Joint: 3.0 / 60, Agrees: true},
		Log:          demo.LogCheck{Size: 1280, Verified: true}}
	if a, b := encode(t, got), encode(t, want); a != b {
		t.Errorf("the summary is\n%s\nnot\n%s", a, b)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Bad input ends with 2, says how to mend it, starts nothing and changes nothing.
func TestDemoRefusesBadInput(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--actors must be", []string{"--actors", "0"}},
		{"--actors must be", []string{"--actors", "1000000"}},
		{"is not empty", []string{"--dir", full}},
		{"--dir", []string{"--dir", filepath.Join(full, "mine")}},
		{"loopback", []string{"--listen", "0.0.0.0:7000"}},
		{"--listen", []string{"--listen", "7000"}},
		{"--once", []string{"--json"}},
		{"--fresh", []string{"--once", "--fresh"}},
	} {
		out, errs, code := demoRun(t, c.args...)
		if code != exitBad || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("demo %v: exit code %d, %q on standard output, said %q; want %q", c.args, code, out, errs, c.want)
		}
	}
	if list, err := os.ReadDir(full); err != nil || len(list) != 1 {
		t.Errorf("the refused directory holds %v, %v", list, err)
	}
}

// Whatever ends the demonstration ends all of its parts, even where it gets no
// chance to tell them.
func TestDemoLeavesNoProcess(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal os.Signal
	}{{"interrupt", os.Interrupt}, {"kill", os.Kill}} {
		t.Run(c.name, func(t *testing.T) {
			s := &stage{t: t, dir: t.TempDir()}
			cmd := s.command(context.Background(), "demo", "--fresh", "--actors", "10", "--dir", s.path("demo"))
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			s.must(cmd.Start())
			defer cmd.Process.Kill()
			var plan client.Plan
			s.until("key holders that listen", func() bool {
				raw, err := os.ReadFile(s.path("demo", "plan.json"))
				return err == nil && json.Unmarshal(raw, &plan) == nil && listens(plan.Hub.URL) && listens(plan.Holders[2].URL)
			})
			s.must(cmd.Process.Signal(c.signal))
			err := cmd.Wait()
			if c.signal == os.Interrupt && err != nil {
				t.Errorf("an interrupted demonstration ends with %v\n%s", err, &said)
			}
			urls := []string{plan.Hub.URL}
			for _, h := range plan.Holders {
				urls = append(urls, h.URL)
			}
			for _, url := range urls {
				s.until("the end of "+url, func() bool { return !listens(url) })
			}
		})
	}
}

func listens(url string) bool {
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
