package selector

import (
	"strings"

	"golang.org/x/text/secure/precis"
)

var platforms = map[string]string{
	"facebook.com": "facebook", "fb": "facebook", "meta": "facebook", "fb.com": "facebook", "instagram.com": "instagram", "ig": "instagram", "insta": "instagram",
	"twitter": "x", "twitter.com": "x", "x.com": "x", "telegram.org": "telegram", "t.me": "telegram", "discord.com": "discord", "discord.gg": "discord",
	"snap": "snapchat", "snapchat.com": "snapchat", "tiktok.com": "tiktok", "tik-tok": "tiktok", "youtube.com": "youtube", "yt": "youtube", "reddit.com": "reddit",
	"whatsapp.com": "whatsapp", "wa": "whatsapp", "kik.com": "kik", "roblox.com": "roblox", "steampowered.com": "steam", "steamcommunity.com": "steam",
	"twitch.tv": "twitch", "skype.com": "skype", "linkedin.com": "linkedin", "github.com": "github",
	"paypal.com": "paypal", "paypal.me": "paypal", "pay-pal": "paypal", "cash-app": "cashapp", "cash.app": "cashapp", "venmo.com": "venmo",
	"wise.com": "wise", "transferwise": "wise", "revolut.com": "revolut", "western-union": "westernunion", "westernunion.com": "westernunion", "money-gram": "moneygram", "moneygram.com": "moneygram",
}

// platform gives one name for a platform or service.
func platform(raw string) (string, error) {
	s := strings.ToLower(fold(raw))
	s = strings.TrimPrefix(s, "www.")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '_' }), "-")
	if v, ok := platforms[s]; ok {
		return v, nil
	}
	if s == "" {
		return "", problem("needs-platform", "This value can only be read together with its platform or service.")
	}
	if len(s) > 63 || strings.HasPrefix(s, "www.") || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return "", problem("bad-platform", "This is not a readable platform name.")
	}
	return s, nil
}

// splitPlatform reads name@platform; the record's platform must agree.
func splitPlatform(s string, hint Hint) (name, on string, err error) {
	s = strings.TrimPrefix(s, "@")
	name, suffix := s, hint.Platform
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		name, suffix = s[:i], s[i+1:]
	}
	if on, err = platform(suffix); err != nil {
		return "", "", err
	}
	if hint.Platform != "" {
		want, err := platform(hint.Platform)
		if err != nil {
			return "", "", err
		}
		if want != on {
			return "", "", problem("platform-mismatch", "The value names another platform than the record.")
		}
	}
	return name, on, nil
}

// readUsername gives the case-mapped PRECIS name at its platform.
func readUsername(raw string, hint Hint) ([]form, error) {
	name, on, err := splitPlatform(fold(raw), hint)
	if err != nil {
		return nil, err
	}
	if on == "reddit" {
		name, _ = cutPrefixFold(strings.TrimPrefix(name, "/"), "u/")
	}
	name, err = precis.UsernameCaseMapped.String(name)
	if err != nil || name == "" || strings.ContainsAny(name, "@/") { // a slash: a link to a profile
		return nil, problem("bad-username", "This is not a readable user name.")
	}
	return one("exact", name+"@"+on), nil
}

// readAccount keeps the id's case: many platforms issue case-sensitive ids.
func readAccount(raw string, hint Hint) ([]form, error) {
	id, on, err := splitPlatform(fold(raw), hint)
	if err != nil {
		return nil, err
	}
	if !printable(id) || strings.ContainsAny(id, "@/") {
		return nil, problem("bad-account", "This is not a readable account id.")
	}
	return one("exact", id+"@"+on), nil
}

// printable: visible ASCII without spaces.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
