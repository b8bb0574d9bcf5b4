package selector

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

func badDomain() error { return problem("bad-domain", "This is not a readable domain name.") }
func badURL() error    { return problem("bad-url", "This is not a readable web address.") }

// hosts maps as browsers do (UTS #46, non-transitional): hosts in use have
// underscores and hyphens that the stricter profiles refuse.
var hosts = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))

// asciiDomain gives the lower-case A-label form of a name with at least two labels.
func asciiDomain(s string) (string, error) {
	a, err := hosts.ToASCII(fold(s))
	a = strings.TrimSuffix(a, ".") // after mapping: the ideographic full stop is one too
	if err != nil || len(a) > 253 || !strings.Contains(a, ".") {
		return "", badDomain()
	}
	for _, label := range strings.Split(a, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", badDomain()
		}
	}
	if allDigits(a[strings.LastIndexByte(a, '.')+1:]) {
		return "", badDomain()
	}
	return a, nil
}

// dropWWW removes "www." labels while a registrable name remains.
func dropWWW(host string) string {
	for {
		rest, ok := strings.CutPrefix(host, "www.")
		if !ok || !strings.Contains(rest, ".") {
			return host
		}
		if suffix, _ := publicsuffix.PublicSuffix(rest); suffix == rest {
			return host
		}
		host = rest
	}
}

func readDomain(raw string, _ Hint) ([]form, error) {
	d, err := asciiDomain(refang(fold(raw)))
	if err != nil {
		return nil, err
	}
	if suffix, icann := publicsuffix.PublicSuffix(d); icann && suffix == d {
		return nil, problem("public-suffix", "This is a public suffix under which anyone may register, not one domain.")
	}
	return one("exact", dropWWW(d)), nil
}

// scheme: a path or query may hold "://" too.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// readURL gives the whole address without user name, password and fragment,
// the host with its path, and the host. The last two ignore scheme, port,
// query and a leading "www.", which organisations record differently.
func readURL(raw string, _ Hint) ([]form, error) {
	s := refang(raw)
	if !scheme.MatchString(s) {
		if authority, _, _ := strings.Cut(s, "/"); strings.Contains(authority, "@") {
			return nil, badURL() // an e-mail address
		}
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, badURL()
	}
	if u.Scheme() != "http" && u.Scheme() != "https" {
		return nil, problem("not-web", "Only http and https addresses can be used.")
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if !goodHost(host) {
		return nil, badURL()
	}
	at := host
	if u.Port() != "" {
		at += ":" + u.Port()
	}
	path, bare := escapes(u.Pathname()), dropWWW(host)
	query := escapes(u.Search())
	short := strings.TrimRight(path, "/")
	if short == "" {
		short = "/"
	}
	return []form{{"full", u.Scheme() + "://" + at + path + query}, {"host-path", bare + short}, {"host", bare}}, nil
}

func goodHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		return true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Is4()
	}
	d, err := asciiDomain(host)
	return err == nil && d == host
}

// escapes writes percent escapes in one way: unreserved characters plain, the
// rest with capital hex digits, and escapes what RFC 3986 does not let stand.
func escapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte("\"<>[\\]^`{|}", s[i]) >= 0 {
			fmt.Fprintf(&b, "%%%02X", s[i])
			continue
		}
		if s[i] != '%' || i+2 >= len(s) || !isHex(s[i+1:i+3]) {
			b.WriteByte(s[i])
			continue
		}
		c := unhex(s[i+1])<<4 | unhex(s[i+2])
		// A decoded dot could make a new dot segment, so dots stay escaped.
		if alnum(c) || c == '-' || c == '_' || c == '~' {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.ToUpper(s[i : i+3]))
		}
		i += 2
	}
	return b.String()
}

func unhex(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c&0xDF - 'A' + 10
}

// readIP gives the RFC 5952 text; an IPv4-mapped IPv6 address is its IPv4 address.
func readIP(raw string, _ Hint) ([]form, error) {
	s := refang(fold(raw))
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return nil, problem("bad-ip", "This is not a single IP address without port, range or zone.")
	}
	return one("exact", a.Unmap().String()), nil
}
