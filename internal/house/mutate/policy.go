package main

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	policyID      = regexp.MustCompile(`@id\("([^"]+)"\)`)
	condition     = regexp.MustCompile(`(?s)\b(when|unless)\s*\{(.*?)\}`)
	principalKind = regexp.MustCompile(`principal is \w+`)
	listed        = regexp.MustCompile(`Action::"[^"]+",?\s*`)
)

// policies makes mutants of a policy file: each policy left out or turned
// around, each condition left out or negated, each part of one left out, each
// comparison turned, each action taken from a list, each kind opened to all.
func policies(file, text string, next *int) (found []mutant) {
	starts := policyID.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name, body := text[at[2]:at[3]], text[at[0]:end]
		add := func(was, is, changed string) {
			*next++
			found = append(found, mutant{id: *next, file: file, fn: name, line: 1 + strings.Count(text[:at[0]], "\n"),
				was: oneLine(was), is: oneLine(is), policyText: text[:at[0]] + changed + text[end:]})
		}
		add("policy "+name, "nothing", "")
		if strings.Contains(body, "permit (") {
			add("permit", "forbid", strings.Replace(body, "permit (", "forbid (", 1))
		} else {
			add("forbid", "permit", strings.Replace(body, "forbid (", "permit (", 1))
		}
		// Not the kind of resource: the schema binds each action to one.
		if m := principalKind.FindString(body); m != "" {
			add(m, "principal", strings.Replace(body, m, "principal", 1))
		}
		_, scope, _ := strings.Cut(body, " (") // after the effect
		if scope, _, ok := strings.Cut(scope, ")"); ok && strings.Contains(scope, "[") {
			for _, m := range listed.FindAllString(scope, -1) {
				add(m, "not in the list", strings.Replace(body, m, "", 1))
			}
		}
		for _, c := range condition.FindAllStringSubmatchIndex(body, -1) {
			whole, word, inside := body[c[0]:c[1]], body[c[2]:c[3]], body[c[4]:c[5]]
			put := func(is string) string { return body[:c[0]] + is + body[c[1]:] }
			add(whole, "nothing", put(""))
			add(whole, "negated", put(word+" { !("+inside+") }"))
			parts := strings.Split(inside, "&&")
			for j, p := range parts {
				if len(parts) > 1 {
					rest := append(append([]string{}, parts[:j]...), parts[j+1:]...)
					add(p, "true", put(word+" {"+strings.Join(rest, "&&")+"}"))
				}
				for _, swap := range [][2]string{{"==", "!="}, {"!=", "=="}, {"<=", "<"}, {"<=", ">="}} {
					if strings.Contains(p, swap[0]) {
						turned := append([]string{}, parts...)
						turned[j] = strings.Replace(p, swap[0], swap[1], 1)
						add(p, turned[j], put(word+" {"+strings.Join(turned, "&&")+"}"))
					}
				}
			}
		}
	}
	return found
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d %s", m.file, m.line, m.fn) }
