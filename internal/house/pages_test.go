package house

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// pageRules keep every page to one origin and inside its content security
// policy. A link that a person may follow (a href) may lead elsewhere.
var pageRules = map[string][]struct {
	bad *regexp.Regexp
	why string
}{
	".html": {
		{regexp.MustCompile(`(?is)<(script|link|img|iframe|frame|source|video|audio|object|embed|form|input|base|use|image)\b[^>]*=\s*["']?\s*([a-z]+:)?//`), "loads from, or sends to, another origin"},
		{regexp.MustCompile(`(?is)<[a-z][^>]*\s(style|on[a-z]+)\s*=`), "has an inline style or script, which the policy refuses"},
		{regexp.MustCompile(`(?is)<style\b`), "has an inline style sheet, which the policy refuses"},
		{regexp.MustCompile(`(?is)<script\b[^>]*>\s*[^\s<]`), "has an inline script, which the policy refuses"},
		{regexp.MustCompile(`(?i)\b(javascript|data|blob):`), "names a javascript:, data: or blob: address"},
	},
	".css": {
		{regexp.MustCompile(`(?i)@import`), "imports another style sheet"},
		{regexp.MustCompile(`(?i)url\(\s*["']?([a-z]+:)?//`), "loads from another origin"},
		{regexp.MustCompile(`(?i)url\(\s*["']?data:`), "embeds an image, which the policy refuses"},
	},
	".js": {
		{regexp.MustCompile(`(?i)["'` + "`" + `](https?:|wss?:)?//[a-z0-9]`), "names another origin"},
		{regexp.MustCompile(`\beval\s*\(|new\s+Function\b|\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write`), "builds code or markup from text, which Trusted Types refuses"},
	},
}

func pageRule(files []*file) (found []finding) {
	for _, f := range files {
		for _, rule := range pageRules[f.ext()] {
			if at := rule.bad.FindStringIndex(f.text); at != nil {
				line := 1 + strings.Count(f.text[:at[0]], "\n")
				found = append(found, finding{fmt.Sprintf("%s:%d", f.path, line), rule.why})
			}
		}
	}
	return found
}

func TestPages(t *testing.T) {
	examples(t, pageRule, []example{
		{"internal/web/a.html", `<link rel="stylesheet" href="/assets/app.css"><a href="https://example.org/">help</a>`, false},
		{"internal/web/a.html", `<script src="/assets/app.js" defer></script>`, false},
		{"internal/web/a.html", "<script\n src=\"https://cdn.example/x.js\"></script>", true},
		{"internal/web/a.html", `<link href="//fonts.example/x">`, true},
		{"internal/web/a.html", `<form action="https://example.org/">`, true},
		{"internal/web/a.html", `<p style="color: red">`, true},
		{"internal/web/a.html", `<button onclick="go()">`, true},
		{"internal/web/a.html", `<style>p{}</style>`, true},
		{"internal/web/a.html", `<script>alert(1)</script>`, true},
		{"internal/web/a.html", `<img src="data:image/png;base64,xx">`, true},
		{"internal/web/a.css", `p { color: red }`, false},
		{"internal/web/a.css", `@import "x.css";`, true},
		{"internal/web/a.css", `p { background: url(https://example.org/x) }`, true},
		{"internal/web/a.js", `fetch("/x"); // https is fine in words`, false},
		{"internal/web/a.js", `fetch("https://example.org/x")`, true},
		{"internal/web/a.js", `a.innerHTML = b`, true},
	})
	report(t, pageRule(tree(t)))
}
