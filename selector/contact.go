package selector

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

func badEmail() error { return problem("bad-email", "This is not a readable e-mail address.") }

// provider says which characters of the local name a mail provider ignores and
// under which domain its mailboxes are counted.
type provider struct{ domain, ignored string }

// providers holds only rules that a public source states; docs/design/selectors.md
// names the source of each and when it was last read. Everywhere else the
// canonical form is the exact one: a wrong rule would join two persons.
var providers = map[string]provider{
	"gmail.com": {"gmail.com", "."}, "googlemail.com": {"gmail.com", "."},
	"proton.me": {"proton.me", ".-_"}, "protonmail.com": {"proton.me", ".-_"}, "protonmail.ch": {"proton.me", ".-_"}, "pm.me": {"proton.me", ".-_"},
	"outlook.com": {"outlook.com", ""}, "hotmail.com": {"hotmail.com", ""}, "live.com": {"live.com", ""}, "msn.com": {"msn.com", ""},
	"icloud.com": {"icloud.com", ""}, "me.com": {"icloud.com", ""}, "mac.com": {"icloud.com", ""},
	"fastmail.com": {"fastmail.com", ""}, "fastmail.fm": {"fastmail.fm", ""},
}

// readEmail gives the address as written (lower case) and as its provider
// delivers it; both are always given so that the count says nothing.
func readEmail(raw string, _ Hint) ([]form, error) {
	s, link := cutPrefixFold(refang(fold(raw)), "mailto:")
	if link {
		s, _, _ = strings.Cut(s, "?") // RFC 6068 header fields
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return nil, badEmail()
	}
	local, domain := fold(strings.ToLower(s[:at])), strings.TrimSpace(s[at+1:])
	domain, err := asciiDomain(domain)
	if err != nil || !goodLocal(local) {
		return nil, badEmail()
	}
	canonical := local + "@" + domain
	if p, ok := providers[domain]; ok {
		name, _, _ := strings.Cut(local, "+")
		for _, c := range p.ignored {
			name = strings.ReplaceAll(name, string(c), "")
		}
		if name == "" {
			return nil, badEmail()
		}
		canonical = name + "@" + p.domain
	}
	return []form{{"exact", local + "@" + domain}, {"canonical", canonical}}, nil
}

func goodLocal(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	return !strings.ContainsAny(s, " \"(),:;<>@[\\]")
}

// extension: digits, then a mark and more digits, as libphonenumber reads them.
var extension = regexp.MustCompile(`(?i)[0-9][ )]*(;?ext[.=:]?|extn\.?|extension|x|#|,)+ *[0-9]+#?$`)

// asciiDigits writes the decimal digits of every script as 0 to 9; the tables
// hold them in runs of tens that begin with zero.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		for _, x := range unicode.Nd.R16 { // fold has mapped those of R32 or they are in no phone
			if rune(x.Lo) <= r && r <= rune(x.Hi) {
				return '0' + (r-rune(x.Lo))%10
			}
		}
		return r
	}, s)
}

func badPhone() error { return problem("bad-phone", "This is not a valid phone number.") }

// readPhone gives E.164. A national number needs the record's country.
func readPhone(raw string, hint Hint) ([]form, error) {
	s, _ := cutPrefixFold(fold(raw), "tel:")
	s = asciiDigits(s)
	if extension.MatchString(s) {
		return nil, problem("extension", "An extension belongs to a shared line: give the person's own number.")
	}
	if s == "" || strings.Trim(s, "+0123456789 ().-/\u2010\u2011\u2012\u2013\u2014\u2212") != "" {
		return nil, badPhone()
	}
	country := strings.ToUpper(hint.Country)
	if !strings.HasPrefix(s, "+") {
		if country == "" {
			return nil, problem("needs-country", "A national phone number can only be read with its country.")
		}
		if phonenumbers.GetCountryCodeForRegion(country) == 0 {
			return nil, problem("bad-country", "The country must be two ISO 3166 letters, such as AU or GB.")
		}
	}
	n, err := phonenumbers.Parse(s, country)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return nil, badPhone()
	}
	return one("exact", phonenumbers.Format(n, phonenumbers.E164)), nil
}
