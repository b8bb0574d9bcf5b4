package house

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// term is an entry of the terminology that the project follows (Terminology
// Guidelines for the Protection of Children from Sexual Exploitation and Sexual
// Abuse, 2nd edition, 2025): what is not written, and what is written instead.
type term struct {
	avoid   *regexp.Regexp
	prefer  string
	allowed *regexp.Regexp // a line that matches this may hold it
}

func word(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`) }

var terms = []term{
	{word(`child[- ]?porn(ography)?`), "child sexual abuse material (CSAM)", nil},
	{word(`child (prostitutes?|sex workers?)`), "child victim of sexual exploitation", nil},
	{word(`sextortion`), "(financial) sexual extortion of a child", word(`known as .?sextortion`)},
	{word(`kiddie|lolita`), "nothing: do not reproduce slang", nil},
	{word(`p(a)?edophiles?`), "suspected offender, or person who has sexually offended", nil},
	{word(`(child )?sex (tourism|tourists?)`), "travelling sex offending", nil},
	{word(`(customers?|clients?|buyers?) (of|for) (abuse|children|a child|csam|victims?)`), "suspected consumer", nil},
	{word(`child abuse images?`), "CSAM", nil},
	{word(`revenge porn`), "image-based abuse", nil},
	{word(`self-generated csam`), "self-generated sexual content involving a child", nil},
	{word(`webcam sex tourism`), "live-streamed child sexual abuse", nil},
	{word(`perpetrators?`), "offender, or child who has displayed harmful sexual behaviour", nil},
	{word(`suspects?`), "subject, with a subject role: a match is not an accusation", nil},
	{word(`rescue[ds]?`), "removed from harm, safeguarded", nil},
	{word(`child abuse material|class 1A material`), "CSAM, except when a statute is quoted", word(`Criminal Code|Online Safety`)},
}

// wordRule reads what people read: pages, documents, and the strings of the
// programs. Comments are for contributors and follow the same words by review.
func wordRule(files []*file) (found []finding) {
	for _, f := range files {
		switch {
		case f.ext() == ".html" || f.ext() == ".md" || f.ext() == ".js":
			for i, line := range strings.Split(f.text, "\n") {
				found = append(found, banned(fmt.Sprintf("%s:%d", f.path, i+1), line)...)
			}
		case f.ast != nil && !f.test():
			f.strings(func(text string, line int) {
				found = append(found, banned(fmt.Sprintf("%s:%d", f.path, line), text)...)
			})
		}
	}
	return found
}

func banned(where, line string) (found []finding) {
	for _, term := range terms {
		m := term.avoid.FindString(line)
		if m == "" || term.allowed != nil && term.allowed.MatchString(line) {
			continue
		}
		found = append(found, finding{where, fmt.Sprintf("%q: write %s", m, term.prefer)})
	}
	return found
}

func TestWords(t *testing.T) {
	examples(t, wordRule, []example{
		{"docs/a.md", "A suspected consumer is a subject role.", false},
		{"docs/a.md", "The suspect was found.", true},
		{"docs/a.md", "The client asks the server; bank customers are told.", false},
		{"docs/a.md", "Also known as 'sextortion'.", false},
		{"docs/a.md", "Sextortion.", true},
		{"docs/a.md", "child abuse material (Criminal Code (Cth) s 473.1)", false},
		{"internal/pool/page.html", "<p>The perpetrators</p>", true},
		{"internal/pool/a.go", "package pool; const s = \"Two children were \" + \"rescued.\"", true},
		{"internal/pool/a.go", "package pool; const s = \"Two children were removed from harm.\"", false},
		{"internal/pool/a_test.go", "package pool; const s = \"rescued\"", false},
	})
	report(t, wordRule(tree(t)))
}
