package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

const equivalentFile = "internal/house/mutate/equivalent.txt"

// equivalents reads the mutants that mean the same as what they change, each
// with the reason: file | function | was | is | reason.
func equivalents() (map[string]string, error) {
	f, err := os.Open(equivalentFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if strings.Count(line, " | ") < 4 || len(line)-at < 10 {
			return nil, fmt.Errorf("%s, line %d: want file | function | was | is | reason", equivalentFile, n)
		}
		out[line[:at]] = line[at+3:]
	}
	return out, lines.Err()
}

// counts of mutants of one file, and those that survived, as lines of the report.
type counts struct {
	all, killed, equivalent, survived int
	at                                string // the commit that gave the file the text that was changed
	lines                             []string
}

func (c *counts) add(o counts) {
	c.all, c.killed, c.equivalent, c.survived = c.all+o.all, c.killed+o.killed, c.equivalent+o.equivalent, c.survived+o.survived
	c.lines = append(c.lines, o.lines...)
}

// share is how many of the mutants that change something were killed.
func (c counts) share() float64 {
	if c.all == c.equivalent {
		return 1
	}
	return float64(c.killed) / float64(c.all-c.equivalent)
}

// textOf is the commit that gave a file the text that it has now: it stays the
// same while work on other files goes on. Text that is in no commit has a +.
func textOf(file string) (string, error) {
	commit, err := exec.Command("git", "log", "-1", "--format=%h", "--", file).Output() //nolint:gosec // a target of ours
	if err != nil {
		return "", fmt.Errorf("git log of %s: %w", file, err)
	}
	at := strings.TrimSpace(string(commit))
	if exec.Command("git", "diff", "--quiet", "HEAD", "--", file).Run() != nil { //nolint:gosec // likewise
		at += "+"
	}
	return at, nil
}

func count(list []mutant, at map[string]string) map[string]counts {
	out := map[string]counts{}
	for _, m := range list {
		c := out[m.file]
		c.at = at[m.file]
		c.all++
		switch m.status {
		case "killed":
			c.killed++
		case "equivalent":
			c.equivalent++
		default:
			c.survived++
			c.lines = append(c.lines, fmt.Sprintf("- `%s`, `%s`: `%s` to `%s`", m.file, m.fn, m.was, m.is))
		}
		out[m.file] = c
	}
	return out
}

var row = regexp.MustCompile("^\\| `([^`]+)` \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\|(?: `([0-9a-f]+\\+?)`.* \\|)?$")

// earlier reads what a report says of files, so that it can be made in parts.
func earlier(report string) map[string]counts {
	out := map[string]counts{}
	raw, err := os.ReadFile(report)
	if err != nil {
		return out
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if m := row.FindStringSubmatch(line); m != nil {
			c := counts{}
			for i, n := range []*int{&c.all, &c.killed, &c.equivalent, &c.survived} {
				*n, _ = strconv.Atoi(m[i+2]) // digits, as the expression says
			}
			c.at = m[6]
			out[m[1]] = c
		}
		if file, ok := strings.CutPrefix(line, "- `"); ok && strings.Contains(line, " to ") {
			file, _, _ = strings.Cut(file, "`")
			c := out[file]
			c.lines = append(c.lines, line)
			out[file] = c
		}
	}
	return out
}

// summary is the report over the files that were looked at in this run or, as
// the report says, in an earlier one. at is the commit that each target's text
// is of now.
func summary(had map[string]counts, all []mutant, at map[string]string) (string, counts) {
	for file, c := range count(all, at) {
		had[file] = c
	}
	var b strings.Builder
	b.WriteString(preface)
	var sum counts
	var missing []string
	for _, t := range targets {
		c, ok := had[t.file]
		if !ok {
			missing = append(missing, "- `"+t.file+"`")
			continue
		}
		text := "not recorded"
		if c.at != "" {
			text = "`" + c.at + "`"
			if c.at != at[t.file] {
				text += ", changed since"
			}
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %d | %s |\n", t.file, c.all, c.killed, c.equivalent, c.survived, text)
		sum.add(c)
	}
	ran := len(targets) - len(missing)
	fmt.Fprintf(&b, "| these %d of %d files | %d | %d | %d | %d | |\n\nKilled of those that change something: %.1f %%", ran, len(targets), sum.all, sum.killed, sum.equivalent, sum.survived, 100*sum.share())
	if len(missing) == 0 {
		b.WriteString(", over all files of `internal/house/mutate/targets.go`.\n")
	} else {
		fmt.Fprintf(&b, ", of the files above only (%d of %d).\n\n## Not run\n\n%s\n", ran, len(targets), strings.Join(missing, "\n"))
	}
	b.WriteString("\nAn equivalent mutant means the same as the line that it changes; `" + equivalentFile + "` gives the reason for each.\n")
	if len(sum.lines) > 0 {
		b.WriteString("\n## Survived\n\n" + strings.Join(sum.lines, "\n") + "\n")
	}
	return b.String(), sum
}

const preface = `# Mutation check

The lines that decide are changed one at a time (a condition negated, a comparison turned, a part of a condition left out, a
function left at once, a policy left out), and the tests that must notice are run. Made by ` + "`make mutate`" + `; a run with ` + "`-only`" + ` replaces
the lines of its own files. "Text of" is the commit that last changed the file before it was run.

| file | mutants | killed | equivalent | survived | text of |
|---|---|---|---|---|---|
`
