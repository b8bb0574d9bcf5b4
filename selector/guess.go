package selector

import (
	"errors"
	"strings"
)

// columnWords in the order in which they are tried: the narrow before the wide.
var columnWords = []struct {
	word  string
	class Class
}{
	{"payid", PayID}, {"email", Email}, {"mail", Email}, {"imei", Device}, {"idfa", Device}, {"gaid", Device}, {"device", Device},
	{"sha256", Hash}, {"sha1", Hash}, {"md5", Hash}, {"hash", Hash}, {"wallet", Wallet}, {"crypto", Wallet}, {"btc", Wallet},
	{"iban", Bank}, {"bsb", Bank}, {"bankaccount", Bank}, {"paypal", PayService}, {"payservice", PayService}, {"cashapp", PayService},
	{"phone", Phone}, {"mobile", Phone}, {"msisdn", Phone}, {"ipaddress", IP}, {"ipaddr", IP}, {"url", URL}, {"link", URL}, {"website", URL},
	{"domain", Domain}, {"username", Username}, {"handle", Username}, {"screenname", Username}, {"accountid", Account}, {"userid", Account},
}

// guessOrder is tried on the samples alone; user names and account ids are left
// out because nearly anything reads as one.
var guessOrder = []Class{Email, IP, Hash, Wallet, Bank, Device, Domain, URL, Phone}

// Guess proposes the class of a column from its heading and some values, for a
// person to confirm. ok is false when nothing fits.
func Guess(column string, samples []string) (Class, bool) {
	name := plainHeading(column)
	for word := range perceptualNames {
		if strings.Contains(name, word) {
			return "", false
		}
	}
	if name == "ip" || name == "ipv4" || name == "ipv6" {
		return IP, true
	}
	for _, w := range columnWords {
		if strings.Contains(name, w.word) && fits(w.class, samples, 2) {
			return w.class, true
		}
	}
	for _, c := range guessOrder {
		if len(samples) > 0 && fits(c, samples, 5) {
			return c, true
		}
	}
	return "", false
}

func plainHeading(s string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(strings.ToLower(s))
}

// GuessAlgorithm proposes Hint.Algorithm from a column's heading, for a person
// to confirm; it is empty where the heading names none or more than one.
func GuessAlgorithm(column string) string {
	name, found := plainHeading(column), ""
	for _, a := range Algorithms() {
		if strings.Contains(name, a) {
			if found != "" {
				return ""
			}
			found = a
		}
	}
	return found
}

// fits: at most one sample in part fails to read; empty samples do not count.
func fits(c Class, samples []string, part int) bool {
	n, bad := 0, 0
	for _, s := range samples {
		if strings.TrimSpace(s) == "" {
			continue
		}
		n++
		_, err := Normalise(c, s, Hint{Country: "AU", Platform: guessPlatform(c, s)})
		var p *Problem
		if err != nil && !(errors.As(err, &p) && p.Code == "needs-algorithm") { // the mapping can name it
			bad++
		}
	}
	return n == 0 || bad*part <= n
}

// guessPlatform stands in for a platform column that the guess cannot see.
func guessPlatform(c Class, s string) string {
	if (c == Username || c == Account) && !strings.Contains(strings.TrimPrefix(s, "@"), "@") || c == PayService && !strings.Contains(s, ":") {
		return "any"
	}
	return ""
}
