package selector

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func badEmail() error { return problem("bad-email", "This is not a readable e-mail address.") }

// provider says which parts of the local name a mail provider ignores.
type provider struct{ domain, ignored string }

var providers = map[string]provider{
	"gmail.com": {"gmail.com", "."}, "googlemail.com": {"gmail.com", "."},
	"proton.me": {"proton.me", ".-_"}, "protonmail.com": {"proton.me", ".-_"}, "pm.me": {"proton.me", ".-_"},
	"outlook.com": {"outlook.com", ""}, "hotmail.com": {"hotmail.com", ""}, "live.com": {"live.com", ""}, "msn.com": {"msn.com", ""},
	"outlook.com.au": {"outlook.com.au", ""}, "hotmail.com.au": {"hotmail.com.au", ""}, "live.com.au": {"live.com.au", ""},
	"icloud.com": {"icloud.com", ""}, "me.com": {"me.com", ""}, "mac.com": {"mac.com", ""},
	"fastmail.com": {"fastmail.com", ""}, "fastmail.fm": {"fastmail.fm", ""},
}

// readEmail gives the address as written (lower case) and as its provider
// delivers it; both are always given so that the count says nothing.
func readEmail(raw string, _ Hint) ([]form, error) {
	s, _ := cutPrefixFold(refang(fold(raw)), "mailto:")
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
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

func badPhone() error { return problem("bad-phone", "This is not a valid phone number.") }

// readPhone gives E.164. A national number needs the record's country.
func readPhone(raw string, hint Hint) ([]form, error) {
	s, _ := cutPrefixFold(fold(raw), "tel:")
	if s == "" || strings.Trim(s, "+0123456789 ().-/\u2010\u2011\u2012\u2013") != "" {
		return nil, badPhone()
	}
	if !strings.HasPrefix(s, "+") && hint.Country == "" {
		return nil, problem("needs-country", "A national phone number can only be read with its country.")
	}
	n, err := phonenumbers.Parse(s, strings.ToUpper(hint.Country))
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return nil, badPhone()
	}
	return one("exact", phonenumbers.Format(n, phonenumbers.E164)), nil
}
