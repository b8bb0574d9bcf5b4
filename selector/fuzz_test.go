package selector

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// fuzz seeds a target with every golden vector of its class. Whatever comes in,
// reading never panics, and what it gives reads as itself.
func fuzz(f *testing.F, c Class) {
	file := readVectors(f, c)
	for _, v := range file.Cases {
		f.Add(v.raw(f), v.Country, v.Platform, v.Algorithm)
	}
	f.Fuzz(func(t *testing.T, raw, country, platform, algorithm string) {
		got, err := Normalise(c, raw, Hint{Country: country, Platform: platform, Algorithm: algorithm})
		if err != nil && len(got) > 0 {
			t.Fatal("forms beside an error")
		}
		for _, s := range got {
			if !utf8.ValidString(s.Value) || len(s.Value) > MaxBytes || s.Value == "" {
				t.Fatalf("%s %q", s.Form, s.Value)
			}
			stable(t, s)
			Warn(s)
		}
	})
}

func FuzzEmail(f *testing.F)      { fuzz(f, Email) }
func FuzzPhone(f *testing.F)      { fuzz(f, Phone) }
func FuzzURL(f *testing.F)        { fuzz(f, URL) }
func FuzzDomain(f *testing.F)     { fuzz(f, Domain) }
func FuzzUsername(f *testing.F)   { fuzz(f, Username) }
func FuzzAccount(f *testing.F)    { fuzz(f, Account) }
func FuzzBank(f *testing.F)       { fuzz(f, Bank) }
func FuzzPayID(f *testing.F)      { fuzz(f, PayID) }
func FuzzPayService(f *testing.F) { fuzz(f, PayService) }
func FuzzWallet(f *testing.F)     { fuzz(f, Wallet) }
func FuzzDevice(f *testing.F)     { fuzz(f, Device) }
func FuzzHash(f *testing.F)       { fuzz(f, Hash) }
func FuzzIP(f *testing.F)         { fuzz(f, IP) }

func FuzzGuess(f *testing.F) {
	f.Add("sha256", "d41d8cd98f00b204e9800998ecf8427e")
	f.Add("mobile", "0412 903 177")
	f.Fuzz(func(t *testing.T, column, sample string) {
		Guess(column, []string{sample})
		GuessAlgorithm(column)
	})
}

// fullWidth writes visible ASCII as its full-width twin.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xFEE0
		}
		return r
	}, s)
}

func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 32
		}
		return r
	}, s)
}

// everywhere are the equivalences that docs/design/selectors.md promises for
// all classes, written as ways to spoil a value.
var everywhere = []func(t *rapid.T, s string) string{
	func(_ *rapid.T, s string) string { return " \u00a0" + s + "\t " },
	func(_ *rapid.T, s string) string { return "\ufeff\u202a" + s + "\u202c\u200f" },
	func(t *rapid.T, s string) string {
		rs := []rune(s)
		i := rapid.IntRange(0, len(rs)).Draw(t, "place")
		mark := rapid.SampledFrom([]string{"\u200b", "\u00ad", "\u2060", "\u200e", "\u2066"}).Draw(t, "mark")
		return string(rs[:i]) + mark + string(rs[i:])
	},
}

// anyCase are the classes in which capitals mean nothing (PayService: the whole
// of service and account; URL, account ids, wallets and list ids keep theirs).
var anyCase = map[Class]bool{Email: true, Phone: true, Domain: true, Username: true, Bank: true, PayID: true, PayService: true, Device: true, IP: true}

// TestEquivalentInputs spoils golden inputs in every way that must not matter.
func TestEquivalentInputs(t *testing.T) {
	for _, c := range Classes() {
		var good []vector
		for _, v := range readVectors(t, c).Cases {
			if v.Refuse == "" && v.InHex == "" && !strings.HasPrefix(v.In, "'") {
				good = append(good, v)
			}
		}
		ways := everywhere[:len(everywhere):len(everywhere)]
		if c != URL { // a path may hold full-width characters
			ways = append(ways, func(_ *rapid.T, s string) string { return fullWidth(s) })
		}
		if anyCase[c] {
			ways = append(ways, func(_ *rapid.T, s string) string { return upperASCII(s) })
		}
		t.Run(string(c), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				v := rapid.SampledFrom(good).Draw(t, "vector")
				raw := rapid.SampledFrom(ways).Draw(t, "way")(t, v.In)
				got, err := Normalise(c, raw, Hint{Country: v.Country, Platform: v.Platform, Algorithm: v.Algorithm})
				if err != nil {
					t.Fatalf("%q, spoiled to %q: %v", v.In, raw, err)
				}
				for _, s := range got {
					if v.Forms[s.Form] != s.Value {
						t.Fatalf("%q, spoiled to %q: %s %q, want %q", v.In, raw, s.Form, s.Value, v.Forms[s.Form])
					}
				}
			})
		})
	}
}

func TestUnknownClass(t *testing.T) {
	if _, err := Normalise("shoe", "x", Hint{}); err == nil || err.(*Problem).Code != "unknown-class" {
		t.Errorf("got %v", err)
	}
}
