package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parallax/internal/fault"
)

// date is the calendar day of a day of the world.
func (p Params) date(day int) (string, error) {
	t, err := time.Parse(time.DateOnly, p.Start)
	if err != nil {
		return "", fault.New(fault.Invalid, "the start must be a date such as 2025-10-01")
	}
	return t.AddDate(0, 0, day).Format(time.DateOnly), nil
}

// prefixes are mobile ranges that a number library accepts; numbers reserved
// for fiction cannot be used, members' warning lists stop them.
var prefixes = []string{"0402", "0413", "0424", "0435", "0416", "0427", "0438", "0466"}

const numbers = 8_000_000

// phone gives the n-th of 8 million numbers in an order that looks random.
func phone(n int) string {
	x := (uint64(n)*5_000_011 + 1_234_567) % numbers
	if x%1_000_000 == 0 { // a round number reads as a placeholder
		return "0467" + "123457"
	}
	return fmt.Sprintf("%s%06d", prefixes[x/1_000_000], x%1_000_000)
}

var mailDomains = []string{"mail-sim-one.net", "mail-sim-two.net", "post-sim.org", "inbox-sim.net"}

var syllables = []string{"ba", "co", "di", "fe", "ga", "ho", "ju", "ka", "lo", "mi", "nu", "pa", "ro", "se", "ti", "vo", "wa", "ze"}

// name is a made-up word with a number that keeps it unique.
func name(r *rand.Rand, n int) string {
	var b strings.Builder
	for range 3 {
		b.WriteString(syllables[r.IntN(len(syllables))])
	}
	fmt.Fprintf(&b, "%d", n)
	return b.String()
}

func email(r *rand.Rand, n int) string {
	return name(r, n) + "@" + mailDomains[r.IntN(len(mailDomains))]
}

// contact is an e-mail address or phone that may change on a day.
type contact struct {
	Old, New string
	Day      int // first day of New; never, if New is empty
}

func (c contact) on(day int) string {
	if c.New != "" && day >= c.Day {
		return c.New
	}
	return c.Old
}

// account is a bank account with the contacts that the bank holds.
type account struct {
	Org, BSB, Number string
	Email, Phone     contact
	PayID, Service   string
}

// bsb is a made-up branch number per bank; numbers of 9xx are not given out to
// the banks' branches.
func bsb(org string) string {
	return fmt.Sprintf("9%02d-%03d", 50+int(org[len(org)-1]-'a'), 101+int(org[len(org)-1]-'a'))
}

// number is a bank account number, unique per n and never all one digit.
func number(n int) string { return fmt.Sprintf("%d", 200_000_000+(n*7_919+13)%700_000_000) }

// typo changes one character, keeping its kind.
func typo(r *rand.Rand, s string) string {
	b := []byte(s)
	for range 20 {
		i := r.IntN(len(b))
		switch c := b[i]; {
		case c >= '0' && c <= '9' && i > 1: // leave the trunk prefix readable
			b[i] = '0' + (c-'0'+1+byte(r.IntN(9)))%10
			return string(b)
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + (c-'a'+1+byte(r.IntN(25)))%26
			return string(b)
		}
	}
	return s
}

// writePhone writes a number as the organisation's system does.
func writePhone(org, s string) string {
	if s == "" || len(s) != 10 {
		return s
	}
	switch org[len(org)-1] % 3 {
	case 0:
		return s[:4] + " " + s[4:7] + " " + s[7:]
	case 1:
		return "+61" + s[1:]
	}
	return s
}
