package selector

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func show(fs []Selector) string {
	var out []string
	for _, s := range fs {
		out = append(out, s.Form+"="+s.Value)
	}
	return strings.Join(out, " ")
}

// TestNormalise reads one or more hand-checked values of every class, traps included.
func TestNormalise(t *testing.T) {
	for _, c := range []struct {
		class                        Class
		raw, country, platform, want string
	}{
		{Email, " J.Doe+x@GoogleMail.com. ", "", "", "exact=j.doe+x@googlemail.com canonical=jdoe@gmail.com"},
		{Email, "ａ@bücher.de", "", "", "exact=a@xn--bcher-kva.de canonical=a@xn--bcher-kva.de"},
		{Email, "+x@gmail.com", "", "", "bad-email"},
		{Email, "a..b@x.org", "", "", "bad-email"},
		{Phone, "0412 345 678", "AU", "", "exact=+61412345678"},
		{Phone, "+61 (0)412 345 678", "", "", "exact=+61412345678"},
		{Phone, "0011 61 412 345 678", "AU", "", "exact=+61412345678"},
		{Phone, "０４１２３４５６７８", "au", "", "exact=+61412345678"},
		{Phone, "0412345678", "", "", "needs-country"},
		{Phone, "04123", "AU", "", "bad-phone"},
		{URL, "hxxps://u:p@WWW.Example[.]com:443/a/%7eb/?q=1#f", "", "", "full=https://www.example.com/a/~b/?q=1 host-path=example.com/a/~b host=example.com"},
		{URL, "javascript://x", "", "", "not-web"},
		{URL, "http://0x7f.1/", "", "", "full=http://127.0.0.1/ host-path=127.0.0.1/ host=127.0.0.1"},
		{URL, "http://[2001:DB8::1]:8080/x", "", "", "full=http://[2001:db8::1]:8080/x host-path=[2001:db8::1]/x host=[2001:db8::1]"},
		{Domain, "WWW.Bücher.de.", "", "", "exact=xn--bcher-kva.de"},
		{Domain, "com.au", "", "", "public-suffix"},
		{Username, "@Alice_1", "", "Twitter.com", "exact=alice_1@x"},
		{Username, "alice@kik", "", "discord", "platform-mismatch"},
		{Username, "alice", "", "", "needs-platform"},
		{Username, "@", "", "kik", "bad-username"},
		{Account, "00aB", "", "Roblox", "exact=00aB@roblox"},
		{Bank, "062-000 0012345678", "AU", "", "bsb=au:062000:12345678"},
		{Bank, "62000-12345678", "AU", "", "bad-bsb"},
		{Bank, "gb82 west 1234 5698 7654 32", "", "", "iban=GB82WEST12345698765432"},
		{Bank, "GB82WEST12345698765433", "", "", "bad-checksum"},
		{PayID, "51 824 753 556", "", "", "abn=abn:51824753556"},
		{PayID, "0412345678", "", "", "phone=phone:+61412345678"},
		{PayService, "$Bob", "", "Cash App", "exact=cashapp:bob"},
		{Wallet, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "", "", "evm=0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
		{Wallet, "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "", "", "bad-checksum"},
		{Wallet, "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "", "", "bech32=bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{Wallet, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "", "", "bech32=bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"},
		{Wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "", "", "base58=1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
		{Wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "", "", "bad-checksum"},
		{Device, "49-015420-323751-8", "", "", "imei=imei:490154203237518"},
		{Device, "490154203237519", "", "", "bad-checksum"},
		{Device, "1234567890123456", "", "", "ambiguous"},
		{Hash, "NCMEC:Ab-1", "", "", "list=ncmec:Ab-1"},
		{Hash, "pdq:" + zeros, "", "", "perceptual-hash"},
		{Hash, "D41D8CD98F00B204E9800998ECF8427E", "", "", "needs-algorithm"},
		{IP, "::ffff:1.2.3.4", "", "", "exact=1.2.3.4"},
		{IP, "010.1.1.1", "", "", "bad-ip"},
		{IP, "2001:DB8:0:0::1", "", "", "exact=2001:db8::1"},
		{Username, "data:image/png;base64,AA", "", "x", "not-a-selector"},
		{Username, "a\x00b", "", "x", "not-a-selector"},
		{URL, strings.Repeat("a", 2049), "", "", "not-a-selector"},
	} {
		got, err := Normalise(c.class, c.raw, Hint{Country: c.country, Platform: c.platform})
		text := show(got)
		var p *Problem
		if errors.As(err, &p) {
			text = p.Code
		}
		if text != c.want {
			t.Errorf("%s %q: got %s, want %s", c.class, c.raw, text, c.want)
		}
	}
}

func TestWarn(t *testing.T) {
	for _, c := range []struct {
		class     Class
		raw, want string
	}{
		{Phone, "0400 000 000", "placeholder"}, {Phone, "0491 570 156", "fictitious"}, {Phone, "0412 345 670", ""},
		{Phone, "1800 160 401", "fictitious"}, {Phone, "02 5550 1234", "fictitious"},
		{Email, "noreply@bank.com.au", "shared-mailbox"}, {Email, "x@yopmail.com", "disposable"}, {Email, "jane@bank.com.au", ""},
		{Hash, "md5:d41d8cd98f00b204e9800998ecf8427e", "empty-file"}, {URL, "https://bit.ly/x", "link-shortener"},
		{IP, "192.168.0.1", "private-address"}, {IP, "8.8.8.8", ""}, {Domain, "facebook.com", "platform-root"},
		{Domain, "www.example.com", "example"}, {Device, "00000000-0000-0000-0000-000000000000", "all-zero"},
		{Wallet, "0x000000000000000000000000000000000000dEaD", "burn-wallet"}, {Bank, "000-000 12345", "all-zero"},
	} {
		s, err := Normalise(c.class, c.raw, Hint{Country: "AU"})
		if err != nil {
			t.Errorf("%s %q: %v", c.class, c.raw, err)
			continue
		}
		if w, _ := Warn(s[0]); w.Code != c.want || w.Code != "" && w.Sentence == "" {
			t.Errorf("%s %q: got %q %q, want %q", c.class, c.raw, w.Code, w.Sentence, c.want)
		}
	}
}

// stable checks that a canonical value reads as itself, without any hint.
func stable(t interface{ Fatalf(string, ...any) }, s Selector) {
	again, err := Normalise(s.Class, s.Value, Hint{})
	if err != nil {
		t.Fatalf("%s %s %q: %v", s.Class, s.Form, s.Value, err)
	}
	for _, a := range again {
		if a == s {
			return
		}
	}
	t.Fatalf("%s %s %q became %s", s.Class, s.Form, s.Value, show(again))
}

func TestIdempotence(t *testing.T) {
	seeds := rapid.SampledFrom([]string{"", "a.b+c@gmail.com", "0412345678", "http://www.a.com/%2e/b//", "06200012345678", "$b@x", "md5:", "imei:", "1.2.3.4", "au:062000:0", "paypal:@"})
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9@:/.+%$ -]{0,40}`))
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom(Classes()).Draw(t, "class")
		raw := seeds.Draw(t, "seed") + text.Draw(t, "text")
		got, _ := Normalise(class, raw, Hint{Country: "AU", Platform: "kik"})
		for _, s := range got {
			stable(t, s)
			Warn(s)
		}
	})
}

func TestInputUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n string) Selector {
			return Selector{Class(rapid.StringN(0, 3, 6).Draw(t, n)), rapid.StringN(0, 3, 6).Draw(t, n), rapid.StringN(0, 3, 6).Draw(t, n), rapid.IntRange(0, 2).Draw(t, n)}
		}
		a, b := draw("a"), draw("b")
		if bytes.Equal(a.Input(), b.Input()) != (a == b) {
			t.Fatalf("inputs of %v and %v", a, b)
		}
	})
}

func BenchmarkNormaliseEmail(b *testing.B) {
	for b.Loop() {
		_, _ = Normalise(Email, "J.Doe+x@gmail.com", Hint{})
	}
}
