package selector

import (
	"net/netip"
	"slices"
	"strings"
)

// Warning says why a readable value must not be blinded: many people share it,
// or nobody has it.
type Warning struct {
	Code     string
	Sentence string
}

// Warn reports placeholders and shared values. ok is false when there is
// nothing to say. s must come from Normalise.
func Warn(s Selector) (Warning, bool) {
	code := ""
	switch s.Class {
	case Email:
		code = warnEmail(s.Value)
	case Phone:
		code = warnPhone(s.Value)
	case URL:
		code = warnURL(s)
	case Domain:
		code = warnHost(s.Value)
	case Username, Account:
		name, _, _ := strings.Cut(s.Value, "@")
		code = warnName(name)
	case Bank:
		code = warnBank(s.Value)
	case PayID:
		code = warnPayID(s.Value)
	case PayService:
		_, account, _ := strings.Cut(s.Value, ":")
		if code = warnName(account); code == "" && strings.Contains(account, "@") {
			code = warnEmail(account)
		}
	case Wallet:
		code = burn[s.Value]
	case Device:
		code = warnDevice(s.Value)
	case Hash:
		code = emptyHashes[s.Value]
	case IP:
		code = warnIP(s.Value)
	}
	return Warning{code, sentences[code]}, code != ""
}

var sentences = map[string]string{
	"placeholder":     "This value is a placeholder that nobody owns.",
	"fictitious":      "This value is reserved for film, examples or documentation.",
	"shared-mailbox":  "This mailbox belongs to a role or a machine, not to one person.",
	"disposable":      "This address is at a disposable mail service that anyone can read.",
	"empty-file":      "This is the hash of an empty file, which every system holds.",
	"link-shortener":  "This is a link shortener: resolve the link and use its destination.",
	"private-address": "This address is private or reserved and exists in many networks.",
	"platform-root":   "This is the front of a platform that many people use.",
	"example":         "This domain is reserved for examples.",
	"burn-wallet":     "This address is a public burn or null address that nobody owns.",
	"all-zero":        "This id consists of zeros or one repeated digit and identifies nothing.",
}

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

var (
	mailboxes   = words("noreply no-reply donotreply do-not-reply info admin administrator support help helpdesk contact sales office postmaster hostmaster webmaster abuse security privacy billing accounts enquiries hello mailer-daemon root service marketing news newsletter")
	disposable  = words("mailinator.com guerrillamail.com 10minutemail.com temp-mail.org tempmail.com yopmail.com sharklasers.com trashmail.com getnada.com maildrop.cc dispostable.com throwawaymail.com fakeinbox.com mailnesia.com moakt.com")
	shorteners  = words("bit.ly tinyurl.com t.co goo.gl ow.ly is.gd buff.ly cutt.ly rebrand.ly rb.gy shorturl.at tiny.cc v.gd t.ly lnkd.in s.id")
	roots       = words("facebook.com instagram.com x.com twitter.com youtube.com tiktok.com snapchat.com discord.com discord.gg telegram.org t.me whatsapp.com reddit.com kik.com roblox.com twitch.tv google.com drive.google.com mega.nz dropbox.com github.com github.io blogspot.com wordpress.com tumblr.com pinterest.com linkedin.com paypal.com paypal.me onlyfans.com microsoft.com apple.com icloud.com gmail.com outlook.com hotmail.com yahoo.com steamcommunity.com linktr.ee wikipedia.org")
	generic     = words("watch profile.php story.php photo.php photo permalink.php search results open uc share login home index.php") // only their query, if any, is specific
	placeholder = words("unknown none null n/a na nil test admin user anonymous deleted deleted_user undefined guest example root [deleted] - . ? unavailable redacted")
)

func warnName(name string) string {
	if placeholder[strings.ToLower(name)] {
		return "placeholder"
	}
	if len(name) > 1 && same(name) && (name[0] == '0' || len(name) >= 6 && digit(name[0])) || name == "0" {
		return "all-zero"
	}
	return ""
}

// same reports whether s repeats one byte.
func same(s string) bool { return s != "" && strings.Trim(s, s[:1]) == "" }

func exampleDomain(host string) bool {
	for _, d := range []string{"example.com", "example.net", "example.org", "example.edu", "example", "test", "invalid", "localhost", "local"} {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

func warnEmail(v string) string {
	local, domain, _ := strings.Cut(v, "@")
	name, _, _ := strings.Cut(local, "+")
	switch {
	case exampleDomain(domain):
		return "example"
	case disposable[domain]:
		return "disposable"
	case mailboxes[name]:
		return "shared-mailbox"
	}
	return warnName(name)
}

func warnHost(host string) string {
	switch {
	case exampleDomain(host):
		return "example"
	case shorteners[host]:
		return "link-shortener"
	case roots[host]:
		return "platform-root"
	case disposable[host]:
		return "disposable"
	}
	return ""
}

// warnURL: a page on a platform is specific, its host is not.
func warnURL(s Selector) string {
	v := s.Value
	if _, rest, ok := strings.Cut(v, "://"); ok {
		v = rest
	}
	host, path, _ := strings.Cut(v, "/")
	if !strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host, ":")
	}
	host = dropWWW(host)
	if code := warnIP(strings.Trim(host, "[]")); code != "" {
		return code
	}
	code := warnHost(host)
	if path != "" && !generic[path] && (code == "platform-root" || code == "disposable") {
		return ""
	}
	return code
}

// acma lists the Australian numbers reserved for creative works outside the
// ranges tested in warnPhone (Australian Communications and Media Authority).
var acma = words("+61491570006 +61491570156 +61491570157 +61491570158 +61491570159 +61491570110 +61491570313 +61491570737 +61491571266 +61491571491 +61491571804 +61491572549 +61491572665 +61491572983 +61491573770 +61491573087 +61491574118 +61491574632 +61491575254 +61491575789 +61491576398 +61491576801 +61491577426 +61491577644 +61491578957 +61491578148 +61491578888 +61491579212 +61491579760 +61491579455 +611800160401 +611800975707 +611800975708 +611800975709 +611800975710 +611800975711 +611300975707 +611300975708 +611300975709 +611300975710 +611300975711")

// ofcom lists, after 44, the starts of the thousand-number blocks that Ofcom
// keeps for television and radio drama.
var ofcom = strings.Fields("1134960 1144960 1154960 1164960 1174960 1184960 1214960 1314960 1414960 1514960 1614960 2079460 1914980 2890180 2896496 2920180 1632960 7700900 8081570 9098790 3069990")

// tollFree area codes of North America have real numbers at 555-01xx.
var tollFree = words("800 833 844 855 866 877 888")

func warnPhone(v string) string {
	d := strings.TrimPrefix(v, "+")
	switch {
	case acma[v], slices.ContainsFunc(ofcom, func(p string) bool { return strings.HasPrefix(d, "44"+p) }),
		strings.HasPrefix(d, "1") && len(d) == 11 && d[4:9] == "55501" && !tollFree[d[1:4]],
		strings.HasPrefix(d, "61") && len(d) == 11 && strings.Contains("2378", d[2:3]) && (d[3:7] == "5550" || d[3:7] == "7010"):
		return "fictitious"
	case d == "61412345678", strings.HasSuffix(d, "000000"), len(d) > 8 && same(d[len(d)-8:]):
		return "placeholder"
	}
	return ""
}

func warnBank(v string) string {
	_, rest, ok := strings.Cut(v, ":")
	if !ok {
		if strings.Trim(v[4:], "0") == "" {
			return "all-zero"
		}
		return ""
	}
	bsb, account, _ := strings.Cut(rest, ":")
	switch {
	case bsb == "000000", account == "0", len(account) >= 6 && same(account):
		return "all-zero"
	case account == "123456", account == "12345678", account == "123456789":
		return "placeholder"
	}
	return ""
}

func warnPayID(v string) string {
	kind, rest, _ := strings.Cut(v, ":")
	switch kind {
	case "phone":
		return warnPhone(rest)
	case "email":
		return warnEmail(rest)
	}
	return warnName(rest)
}

func warnDevice(v string) string {
	kind, rest, _ := strings.Cut(v, ":")
	plain := strings.ReplaceAll(rest, "-", "")
	switch {
	case kind == "imei" && same(plain[:14]), same(plain):
		return "all-zero"
	case v == "android:9774d56d682e549c", v == "imei:004999010640000", v == "imei:123456789012347":
		return "placeholder"
	}
	return ""
}

var emptyHashes = map[string]string{
	"md5:d41d8cd98f00b204e9800998ecf8427e":                                    "empty-file",
	"sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709":                           "empty-file",
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "empty-file",
	"md5:" + zeros[:32]: "all-zero", "sha1:" + zeros[:40]: "all-zero", "sha256:" + zeros: "all-zero",
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

var burn = map[string]string{
	"0x" + zeros[:40]: "burn-wallet", "0x000000000000000000000000000000000000dead": "burn-wallet",
	"0xdead000000000000000042069420694206942069": "burn-wallet", "0xffffffffffffffffffffffffffffffffffffffff": "burn-wallet",
	"1111111111111111111114oLvT2": "burn-wallet", "1BitcoinEaterAddressDontSendf59kuE": "burn-wallet", "1CounterpartyXXXXXXXXXXXXXXXUWLpVr": "burn-wallet",
}

var reserved = prefixes("0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 2001:db8::/32 3fff::/20 100::/64 64:ff9b:1::/48 2001:2::/48 fec0::/10")

func prefixes(s string) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range strings.Fields(s) {
		if p, err := netip.ParsePrefix(w); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func warnIP(v string) string {
	a, err := netip.ParseAddr(v)
	if err != nil {
		return ""
	}
	if a.IsPrivate() || a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() || a.IsLinkLocalUnicast() {
		return "private-address"
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return "private-address"
		}
	}
	return ""
}
