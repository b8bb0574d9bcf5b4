package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/gateway/scenario"
)

// gatewayCmd works on this machine alone: it joins nothing and asks nobody.
type gatewayCmd struct {
	Route gatewayRoute   `cmd:"" help:"May this be sent, by whom, under what law? Offline; joins nothing."`
	Check gatewayCheck   `cmd:"" help:"Compare the answers to worked scenarios with what they expect."`
	Codes gatewayCodes   `cmd:"" help:"List the codes for organisations, data, purposes, facts and states."`
	Due   gatewayDue     `cmd:"" help:"Count the deadline of a duty by the calendar of a state."`
	Lint  gatewayLint    `cmd:"" help:"Look a data set over: dates, sources, unknown codes, rows never in force."`
	Diff  gatewayDiff    `cmd:"" help:"What changed between two data sets, and which answers change?"`
	Key   governanceInit `cmd:"" help:"Make one counsel's key and print its public card."`
	Sign  gatewaySign    `cmd:"" help:"Sign a data set or an overlay as counsel; a version needs two."`
}

// lawData is which rows of law to use.
type lawData struct {
	Data      string `type:"path" help:"Another data set (YAML) than the one built in."`
	Overlay   string `type:"path" help:"Rows of your own laid over it (YAML)."`
	Published string `type:"path" help:"The publication by which two counsel signed the overlay, or the data set where there is none."`
	Counsel   string `type:"path" help:"The counsel whose signatures you accept (JSON: a list of public cards)."`
}

func (c lawData) finder() (*route.Finder, error) {
	if c == (lawData{}) {
		return law.BuiltInFinder()
	}
	d, err := c.deployed(time.Now())
	return d.Finder, err
}

// deployed reads the files and checks what counsel signed for the day.
func (c lawData) deployed(now time.Time) (law.Deployed, error) {
	files, err := c.files()
	if err != nil {
		return law.Deployed{}, err
	}
	return law.Deploy(files, now.Format(time.DateOnly))
}

func (c lawData) files() (files law.Files, err error) {
	if c.Published != "" && c.Counsel == "" {
		return files, fault.New(fault.Invalid, "--published needs --counsel: whose signatures do you accept?")
	}
	for _, f := range []struct {
		path string
		to   *law.File
	}{{c.Data, &files.Data}, {c.Overlay, &files.Overlay}, {c.Published, &files.Published}, {c.Counsel, &files.Counsel}} {
		if f.path == "" {
			continue
		}
		raw, err := readInput(f.path)
		if err != nil {
			return files, err
		}
		*f.to = law.File{Name: f.path, Raw: raw}
	}
	return files, nil
}

// readSet reads a data set, the built-in one for an empty path.
func readSet(path string) (law.Set, []byte, error) {
	name, raw := law.BuiltInName, law.BuiltInText()
	if path != "" {
		var err error
		if raw, err = readInput(path); err != nil {
			return law.Set{}, nil, err
		}
		name = path
	}
	s, err := law.Read(name, raw)
	return s, raw, err
}

// readInput reads a file that the user named; a missing one is bad input.
func readInput(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, path+": cannot be read; give the path of an existing file", err)
	}
	return raw, nil
}

type gatewayRoute struct {
	lawData
	From    string   `required:"" placeholder:"ORG" help:"Who would give: an actor code (au.fsp) or the id of a public body (austrac)."`
	To      string   `required:"" placeholder:"ORG" help:"Who would receive."`
	Holds   []string `placeholder:"a,b" help:"Data categories that the giver holds; for a public body, its public role if left out."`
	Wants   string   `required:"" placeholder:"c" help:"The data category that the recipient should get."`
	Purpose string   `required:"" placeholder:"p" help:"What for."`
	Facts   []string `placeholder:"f,g" help:"Facts that hold; not:f for one that does not. What is left out is unknown."`
	AsOf    string   `placeholder:"DATE" help:"The day to answer for, as 2026-11-23; today if left out."`
	FromIn  string   `placeholder:"STATE" help:"State or territory of the giver, as AU-NSW."`
	ToIn    string   `placeholder:"STATE" help:"State or territory of the recipient."`
	MaxHops int      `default:"5" help:"The most hops that a route may have."`
	JSON    bool     `name:"json" help:"Print the answer as JSON, with exactly the documented keys."`
	Full    bool     `help:"With --json: also titles, citations and the explanation."`
}

// Run answers. Any answer is a success; only a question that cannot be read is not.
func (c *gatewayRoute) Run(std streams) error {
	f, err := c.finder()
	if err != nil {
		return err
	}
	if c.AsOf == "" {
		c.AsOf = time.Now().Format(time.DateOnly)
	}
	q, a, err := law.Ask(f, route.Question{From: c.From, To: c.To, FromIn: c.FromIn, ToIn: c.ToIn, Holds: clean(c.Holds),
		Wants: c.Wants, Purpose: c.Purpose, Facts: clean(c.Facts), AsOf: c.AsOf, MaxHops: c.MaxHops})
	if err != nil {
		return err
	}
	switch {
	case c.JSON && c.Full:
		return printJSON(std.out, a)
	case c.JSON:
		return printJSON(std.out, a.Contract())
	}
	showAnswer(std.out, q, a)
	return nil
}

// clean drops the empty items that "a, ,b" or an empty flag leaves.
func clean(list []string) (out []string) {
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func showAnswer(w io.Writer, q route.Question, a route.Answer) {
	fmt.Fprintf(w, "%s  (%s -> %s, %s for %s, as of %s; data %s: %s)\n\n", strings.ToUpper(strings.ReplaceAll(a.Answer, "_", " ")),
		q.From, q.To, q.Wants, q.Purpose, a.AsOf, a.DataVersion, a.Notice)
	for _, line := range a.Explanation {
		fmt.Fprintln(w, line)
	}
	for i, r := range a.Routes {
		showRoute(w, fmt.Sprintf("Route %d", i+1), r)
	}
	for i, r := range a.Conditional {
		showRoute(w, fmt.Sprintf("Conditional route %d", i+1), r)
	}
	if len(a.Duties) > 0 {
		fmt.Fprintln(w, "\nDuties of the holder, whatever is decided:")
		for _, d := range a.Duties {
			fmt.Fprintf(w, "  %s  %s\n", d.ID, d.Title)
			showObligations(w, "    ", d.Obligations)
		}
	}
	if len(a.Reasons) > 0 {
		fmt.Fprintln(w, "\nReasons and warnings:")
		for _, r := range a.Reasons {
			fmt.Fprintln(w, "  -", r)
		}
	}
}

func showRoute(w io.Writer, title string, r route.Route) {
	fmt.Fprintf(w, "\n%s: %s\n", title, strings.Join(r.IDs, " -> "))
	for _, u := range r.Unmet {
		fmt.Fprintln(w, "  needs", u)
	}
	for _, h := range r.Hops {
		fmt.Fprintf(w, "  %s -> %s  %s  [%s, %s, confidence %s]\n    %s; %s\n", h.From, h.To, h.ID, h.Kind, h.Mode, h.Confidence, h.Title, h.Citation)
		fmt.Fprintf(w, "    the recipient then holds: %s\n", strings.Join(h.Passes, ", "))
		if h.Conditions != "" {
			fmt.Fprintln(w, "    conditions:", h.Conditions)
		}
		showObligations(w, "    ", h.Obligations)
		for _, m := range h.Marks {
			fmt.Fprintln(w, "    note:", m)
		}
	}
}

func showObligations(w io.Writer, indent string, all map[string]string) {
	for _, k := range sortedKeys(all) {
		fmt.Fprintf(w, "%s%s: %s\n", indent, strings.ReplaceAll(k, "_", " "), all[k])
	}
}

type gatewayCheck struct {
	lawData
	File string `arg:"" type:"path" help:"A file of scenarios (YAML)."`
	JSON bool   `name:"json" help:"Print the results as JSON."`
}

// Run checks every case; it ends with 1 where one is not as expected.
func (c *gatewayCheck) Run(std streams) error {
	f, err := c.finder()
	if err != nil {
		return err
	}
	raw, err := readInput(c.File)
	if err != nil {
		return err
	}
	file, err := scenario.Read(c.File, raw)
	if err != nil {
		return err
	}
	if v := file.Meta.GatewaysVersion; v != "" && v != f.Law().Version {
		fmt.Fprintf(std.err, "note: the scenarios were written for data %s; this is %s\n", v, f.Law().Version)
	}
	for _, key := range file.Unread {
		fmt.Fprintln(std.err, "note:", key)
	}
	results, unreadable := file.Check(f, c.File, raw)
	failed := 0
	for _, r := range results {
		if !r.Pass {
			failed++
		}
	}
	if c.JSON {
		err = printJSON(std.out, map[string]any{"data_version": f.Law().Version, "cases": len(results), "failed": failed, "results": results})
	} else {
		showResults(std.out, results)
		fmt.Fprintf(std.out, "%d of %d cases pass (data %s: %s)\n", len(results)-failed, len(results), f.Law().Version, f.Law().Review)
	}
	switch {
	case err != nil:
		return err
	case unreadable != nil:
		return unreadable
	case failed > 0:
		return fmt.Errorf("%d of %d cases are not as expected", failed, len(results))
	}
	return nil
}

func showResults(w io.Writer, results []scenario.Result) {
	for _, r := range results {
		fmt.Fprintln(w, r.Text())
		for _, part := range []struct {
			label string
			lines []string
		}{{"must show", r.MustShow}, {"note", r.Notes}, {"reason", r.Reasons}} {
			for _, l := range part.lines {
				fmt.Fprintf(w, "    %s (not compared): %s\n", part.label, l)
			}
		}
	}
}

type gatewayCodes struct {
	lawData
	JSON bool `name:"json" help:"Print as JSON."`
}

// Run lists the codes.
func (c *gatewayCodes) Run(std streams) error {
	f, err := c.finder()
	if err != nil {
		return err
	}
	orgs, err := law.Organisations()
	if err != nil {
		return err
	}
	v := f.Law().Vocabulary
	bodies := map[string]string{}
	for _, o := range orgs {
		bodies[o.ID] = o.Name + " [" + o.Actor + "]"
	}
	if c.JSON {
		return printJSON(std.out, map[string]any{"actors": v.Actors, "organisations": bodies, "data": v.Data,
			"purposes": v.Purposes, "facts": v.Facts, "states": f.States()})
	}
	for _, part := range []struct {
		title string
		codes map[string]string
	}{{"Actors (--from, --to)", v.Actors}, {"Public bodies (--from, --to)", bodies}, {"Data (--holds, --wants)", v.Data}, {"Facts (--facts; not:x says that x does not hold)", v.Facts}} {
		fmt.Fprintln(std.out, part.title)
		for _, k := range sortedKeys(part.codes) {
			fmt.Fprintf(std.out, "  %-30s %s\n", k, part.codes[k])
		}
	}
	_, err = fmt.Fprintf(std.out, "Purposes (--purpose)\n  %s\nStates (--from-in, --to-in)\n  %s\n", strings.Join(v.Purposes, ", "), strings.Join(f.States(), ", "))
	return err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
