package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func completion(t *testing.T, shell string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run([]string{"completion", shell}, streams{strings.NewReader(""), &out, &errs}); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return out.String()
}

// The bash script offers, in a real bash, what may follow each place.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: there is no bash on this machine")
	}
	script := filepath.Join(t.TempDir(), "completion.bash")
	if err := os.WriteFile(script, []byte(completion(t, "bash")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line []string
		want []string
		not  string
	}{
		{[]string{"parallax", "de"}, []string{"demo", "desk"}, "hub"},
		{[]string{"parallax", "desk", "su"}, []string{"submit"}, "status"},
		{[]string{"parallax", "desk", "submit", "--dir", "here", "--m"}, []string{"--mapping"}, "--dir"},
		{[]string{"parallax", "demo", "--"}, []string{"--once", "--json", "--fresh"}, "--mapping"},
	} {
		words := "'" + strings.Join(c.line, "' '") + "'"
		ask := "source " + script + "; COMP_WORDS=(" + words + "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _parallax; echo ${COMPREPLY[@]}"
		out, err := exec.Command(bash, "-c", ask).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", c.line, err, out)
		}
		got := " " + strings.TrimSpace(string(out)) + " "
		for _, w := range c.want {
			if !strings.Contains(got, " "+w+" ") {
				t.Errorf("%v: offers%s, want %s", c.line, got, w)
			}
		}
		if strings.Contains(got, " "+c.not+" ") {
			t.Errorf("%v: offers%s, which holds %s", c.line, got, c.not)
		}
	}
}

// All shells hear of the same commands.
func TestCompletionShells(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := completion(t, shell)
		for _, want := range []string{"desk submit", "keyholder ceremony", "--mapping", "complete "} {
			if !strings.Contains(script, want) {
				t.Errorf("%s: the script does not hold %q", shell, want)
			}
		}
		if exe, err := exec.LookPath(shell); err == nil {
			check := exec.Command(exe, "-n")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s cannot read its script: %v\n%s", shell, err, out)
			}
		}
	}
}
