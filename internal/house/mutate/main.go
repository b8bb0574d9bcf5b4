// Command mutate changes the lines that decide (authorisation, the threshold,
// what key holders refuse, the gateway's permits), one at a time, and runs the
// tests that must notice. What no test notices is written down: either a test is
// missing, or the change means the same and equivalent.txt says why.
//
// All mutants of a package are compiled into one test binary, each behind a
// comparison with the variable PARALLAX_MUTANT, by laying files over the source:
// the source itself is not touched.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// goal is the share of mutants that must be killed.
const goal = 0.95

func main() {
	report := flag.String("report", "", "write the report to this file")
	only := flag.String("only", "", "only files whose name matches this")
	flag.Parse()
	if err := run(*report, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(report, only string) error {
	dir, err := os.MkdirTemp("", "parallax-mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &runner{dir: dir, binaries: map[string]string{}}
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return !match.MatchString(t.file) })
	if len(list) == 0 {
		return fmt.Errorf("no target's name matches %q", only)
	}
	at := map[string]string{}
	for _, t := range targets {
		if at[t.file], err = textOf(t.file); err != nil {
			return err
		}
	}
	if err := r.overlay(list); err != nil {
		return err
	}
	if err := r.baseline(list); err != nil {
		return err
	}
	known, err := equivalents()
	if err != nil {
		return err
	}
	all := r.judge(list, known)
	// Tests that fail by now, whatever made them, would have killed everything.
	if err := r.baseline(list); err != nil {
		return err
	}
	had := map[string]counts{}
	if report != "" {
		had = earlier(report)
	}
	text, sum := summary(had, all, at)
	fmt.Print(text)
	if report != "" {
		if err := os.WriteFile(report, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, m := range all {
		delete(known, m.name())
	}
	if only == "" && len(known) > 0 {
		return fmt.Errorf("equivalent.txt lists %d mutants that there are no more", len(known))
	}
	if sum.share() < goal {
		return fmt.Errorf("%.1f %% of the mutants were killed; the goal is %.0f %%", 100*sum.share(), 100*goal)
	}
	return nil
}

// runner builds test binaries with all mutants in them, and runs them.
type runner struct {
	dir      string
	replaced map[string]string // the overlay: path in the tree to file in dir
	mutants  map[string][]mutant
	binaries map[string]string // by package
}

// overlay writes the files that hold the mutants.
func (r *runner) overlay(list []target) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	r.replaced, r.mutants = map[string]string{}, map[string][]mutant{}
	next, files := 0, 0
	put := func(name string, text []byte) error {
		files++
		file := filepath.Join(r.dir, fmt.Sprint(files)+filepath.Ext(name))
		r.replaced[filepath.Join(root, name)] = file
		return os.WriteFile(file, text, 0o600)
	}
	for _, t := range list {
		text, err := os.ReadFile(t.file)
		if err != nil {
			return err
		}
		dir := path.Dir(t.file)
		if strings.HasSuffix(t.file, ".cedar") {
			r.mutants[t.file] = policies(t.file, string(text), &next)
			if err := put(dir+"/mutant_policy.go", []byte(policySource)); err != nil {
				return err
			}
			continue
		}
		text, found, err := rewrite(t.file, text, t.functions, &next)
		if err != nil {
			return fmt.Errorf("%s: %w", t.file, err)
		}
		r.mutants[t.file] = found
		if err := errors.Join(put(t.file, text), put(dir+"/mutant.go", fmt.Appendf(nil, selectorSource, path.Base(dir)))); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(map[string]any{"Replace": r.replaced})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, "overlay.json"), raw, 0o600)
}

const selectorSource = `package %s

import (
	"os"
	"strconv"
)

var parallaxMutant, _ = strconv.Atoi(os.Getenv("PARALLAX_MUTANT"))
`

const policySource = `package authz

import "os"

func init() {
	if name := os.Getenv("PARALLAX_MUTANT_POLICY"); name != "" {
		policyText, _ = os.ReadFile(name)
	}
}
`

// binary builds a package's tests once.
func (r *runner) binary(pkg string) (string, error) {
	if b, ok := r.binaries[pkg]; ok {
		return b, nil
	}
	b := filepath.Join(r.dir, strings.ReplaceAll(pkg, "/", "_")+".test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-o", b, "-overlay", filepath.Join(r.dir, "overlay.json"), "./"+pkg) //nolint:gosec // our own packages
	cmd.Stderr = os.Stderr
	r.binaries[pkg] = b
	return b, cmd.Run()
}

// longest is how long the tests of one mutant may take; one that takes longer
// is killed, as a loop without an end is noticed.
const longest = 3 * time.Minute

// passes runs tests with a mutant on; no mutant is number 0.
func (r *runner) passes(t test, m mutant) (bool, error) {
	b, err := r.binary(t.pkg)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, b, "-test.run", t.run, "-test.failfast", "-test.count=1")
	cmd.Dir = t.pkg
	cmd.Env = append(os.Environ(), fmt.Sprint("PARALLAX_MUTANT=", m.id))
	if m.policyText != "" {
		file := filepath.Join(r.dir, "policy.cedar")
		if err := os.WriteFile(file, []byte(m.policyText), 0o600); err != nil {
			return false, err
		}
		cmd.Env = append(cmd.Env, "PARALLAX_MUTANT_POLICY="+file)
	}
	var out []byte
	out, err = cmd.CombinedOutput()
	if m.id == 0 && err != nil {
		fmt.Fprintf(os.Stderr, "%s", out)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return false, err
	}
	return err == nil, nil
}

// baseline refuses to go on where the tests fail without any mutant.
func (r *runner) baseline(list []target) error {
	seen := map[test]bool{}
	for _, t := range list {
		for _, x := range t.tests {
			if seen[x] {
				continue
			}
			seen[x] = true
			if ok, err := r.passes(x, mutant{}); err != nil || !ok {
				return fmt.Errorf("%s -run %q fails without a mutant: %w", x.pkg, x.run, errors.Join(err, errors.New("mend it first")))
			}
		}
	}
	return nil
}

// judge runs every mutant through its target's tests until one notices.
func (r *runner) judge(list []target, known map[string]string) (all []mutant) {
	for _, t := range list {
		for _, m := range r.mutants[t.file] {
			m.status = "survived"
			if why, ok := known[m.name()]; ok {
				m.status, m.why = "equivalent", why
			}
			for _, x := range t.tests {
				ok, err := r.passes(x, m)
				if err != nil {
					fmt.Fprintln(os.Stderr, m, err)
				}
				if !ok && err == nil {
					m.status = "killed"
					break
				}
			}
			if m.status == "survived" {
				fmt.Fprintf(os.Stderr, "survived: %s: %s -> %s\n", m, m.was, m.is)
			}
			all = append(all, m)
		}
	}
	return all
}
