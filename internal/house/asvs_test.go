package house

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const checklist = "docs/asvs.md"

// asvsLevels are the ids of OWASP ASVS 5.0.0 at levels 1 and 2, by chapter:
// section.requirement.
var asvsLevels = [3][18]string{
	1: {1: "2.1 2.2 2.3 2.4 2.5 3.1 3.2 5.1", 2: "1.1 2.1 2.2 3.1", 3: "2.1 2.2 3.1 4.1 4.2 5.1 5.2 5.3", 4: "1.1 4.1", 5: "2.1 2.2 3.1 3.2",
		6: "1.1 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 3.1 3.2 4.1 4.2", 7: "2.1 2.2 2.3 2.4 4.1 4.2", 8: "1.1 2.1 2.2 3.1", 9: "1.1 1.2 1.3 2.1",
		10: "4.1 4.2 4.3 4.4 4.5", 11: "3.1 3.2 4.1", 12: "1.1 2.1 2.2", 13: "4.1", 14: "2.1 3.1", 15: "1.1 2.1 3.1"},
	2: {1: "1.1 1.2 2.6 2.7 2.8 2.9 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10 3.11 4.1 4.2 4.3 5.2", 2: "1.2 1.3 2.3 3.2 3.3 3.4 4.1",
		3: "3.2 3.3 3.4 4.3 4.4 4.5 4.6 5.4 5.5 7.1 7.2", 4: "1.2 1.3 2.1 3.1 3.2 4.2 4.3 4.4", 5: "1.1 2.3 4.1 4.2 4.3",
		6: "1.2 1.3 2.9 2.10 2.11 2.12 3.3 3.4 4.3 4.4 5.1 5.2 5.3 5.4 5.5 6.1 6.2 6.3 8.1 8.2 8.3 8.4",
		7: "1.1 1.2 1.3 3.1 3.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2", 8: "1.2 2.3 4.1", 9: "2.2 2.3 2.4",
		10: "1.1 1.2 2.1 2.2 3.1 3.2 3.3 3.4 4.6 4.7 4.8 4.9 4.10 4.11 5.1 5.2 5.3 5.4 5.5 6.1 6.2 7.1 7.2 7.3",
		11: "1.1 1.2 2.1 2.2 2.3 3.3 4.2 4.3 4.4 5.1 6.1", 12: "1.2 1.3 3.1 3.2 3.3 3.4", 13: "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 4.2 4.3 4.4 4.5",
		14: "1.1 1.2 2.2 2.3 2.4 3.2 3.3", 15: "1.2 1.3 2.2 2.3 3.2 3.3 3.4 3.5 3.6 3.7",
		16: "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3", 17: "1.1 2.1 2.2 2.3 2.4 3.1 3.2"},
}

// asvsIDs gives the level of each id.
func asvsIDs() map[string]string {
	out := map[string]string{}
	for level, chapters := range asvsLevels {
		for chapter, ids := range chapters {
			for _, id := range strings.Fields(ids) {
				out[fmt.Sprintf("v5.0.0-%d.%s", chapter, id)] = fmt.Sprint(level)
			}
		}
	}
	return out
}

var verdicts = []string{"met", "in part", "not met", "not applicable"}

var (
	namedTest = regexp.MustCompile(`([a-z][a-z0-9_/]*) ((?:Test|Fuzz)\w+)`)
	docLink   = regexp.MustCompile(`\]\(([^)#]+)#([^)]+)\)`)
	notInSlug = regexp.MustCompile(`[^a-z0-9 -]`)
)

// anchor is a heading as a link names it.
func anchor(heading string) string {
	return strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
}

// there are the tests by package and name, and the headings by file and anchor.
func there(files []*file) map[string]bool {
	out := map[string]bool{}
	test := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	for _, f := range files {
		switch {
		case f.ast != nil && f.test():
			for _, m := range test.FindAllStringSubmatch(f.text, -1) {
				out[f.dir()+" "+m[1]] = true
			}
		case f.ext() == ".md":
			for _, m := range heading.FindAllStringSubmatch(f.text, -1) {
				out[f.path+"#"+anchor(m[1])] = true
			}
		}
	}
	return out
}

// rowRule holds one row of the checklist to what it names.
func rowRule(cells []string, ids map[string]string, there map[string]bool) (why []string) {
	if len(cells) != 5 {
		return []string{fmt.Sprintf("has %d cells, not 5: id, level, subject, verdict, evidence", len(cells))}
	}
	id, level, subject, verdict, evidence := cells[0], cells[1], cells[2], cells[3], cells[4]
	if ids[id] != level {
		why = append(why, fmt.Sprintf("has level %s, and the standard %q", level, ids[id]))
	}
	if !slices.Contains(verdicts, verdict) {
		why = append(why, fmt.Sprintf("has the verdict %q, which is none of %v", verdict, verdicts))
	}
	if subject == "" || len(subject) > 70 {
		why = append(why, "needs its subject in a few words")
	}
	tests, links := namedTest.FindAllStringSubmatch(evidence, -1), docLink.FindAllStringSubmatch(evidence, -1)
	for _, m := range tests {
		if !there[m[1]+" "+m[2]] {
			why = append(why, "names "+m[0]+", which is not there")
		}
	}
	for _, m := range links {
		if at := path.Join(path.Dir(checklist), m[1]) + "#" + m[2]; !there[at] {
			why = append(why, "leads to "+at+", which is no heading")
		}
	}
	switch {
	case verdict == "met" && len(tests)+len(links) == 0:
		why = append(why, "is met and names neither a test nor a heading")
	case verdict != "met" && len(strings.Fields(namedTest.ReplaceAllString(evidence, ""))) < 3:
		why = append(why, "does not say what is missing, or why it does not apply")
	}
	return why
}

// The checklist holds every requirement of levels 1 and 2 once, and what it calls
// met it can show.
func TestChecklistOfASVS(t *testing.T) {
	ids := asvsIDs()
	count := map[string]int{}
	for _, level := range ids {
		count[level]++
	}
	if count["1"] != 70 || count["2"] != 183 {
		t.Fatalf("the ids are not those of the standard: %v", count)
	}
	files := tree(t)
	real := there(files)
	made := map[string]bool{"a TestX": true, "docs/design/x.md#a-heading": true}
	for row, bad := range map[string]bool{
		"v5.0.0-1.1.1|2|subject|met|a TestX":                               false,
		"v5.0.0-1.1.1|2|subject|met|[x](design/x.md#a-heading)":            false,
		"v5.0.0-1.1.1|2|subject|not applicable|There is no such thing":     false,
		"v5.0.0-1.1.1|1|subject|met|a TestX":                               true,
		"v5.0.0-99.1.1|2|subject|met|a TestX":                              true,
		"v5.0.0-1.1.1|2|subject|met|a TestY":                               true,
		"v5.0.0-1.1.1|2|subject|met|b TestX":                               true,
		"v5.0.0-1.1.1|2|subject|met|[x](design/x.md#no-heading)":           true,
		"v5.0.0-1.1.1|2|subject|met|we looked at it long and hard":         true,
		"v5.0.0-1.1.1|2|subject|fine|a TestX":                              true,
		"v5.0.0-1.1.1|2||met|a TestX":                                      true,
		"v5.0.0-1.1.1|2|subject|not met|":                                  true,
		"v5.0.0-1.1.1|2|subject|in part|a TestX":                           true,
		"v5.0.0-1.1.1|2|subject|in part|a TestX; the other half is not so": false,
		"v5.0.0-1.1.1|2|subject|met":                                       true,
	} {
		if found := rowRule(strings.Split(row, "|"), ids, made); (len(found) > 0) != bad {
			t.Errorf("the rule does not hold: %s gave %v", row, found)
		}
	}
	at := slices.IndexFunc(files, func(f *file) bool { return f.path == checklist })
	if at < 0 {
		t.Fatal(checklist + " is not there")
	}
	seen, totals := map[string]bool{}, map[string]int{}
	for i, line := range strings.Split(files[at].text, "\n") {
		if !strings.HasPrefix(line, "| v5.") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		for _, why := range rowRule(cells, ids, real) {
			t.Errorf("%s:%d: %s %s", checklist, i+1, cells[0], why)
		}
		if seen[cells[0]] {
			t.Errorf("%s:%d: %s is there twice", checklist, i+1, cells[0])
		}
		seen[cells[0]] = true
		if len(cells) > 3 {
			totals[cells[3]]++
		}
	}
	for id, level := range ids {
		if !seen[id] {
			t.Errorf("%s: %s, level %s, is missing", checklist, id, level)
		}
	}
	for _, v := range verdicts {
		if want := fmt.Sprintf("| %s | %d |", v, totals[v]); !strings.Contains(files[at].text, want) {
			t.Errorf("%s: the totals lack the line %s", checklist, want)
		}
	}
}
