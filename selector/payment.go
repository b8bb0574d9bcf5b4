package selector

import (
	"strings"
)

// ibanLength is the length per country in the SWIFT IBAN registry.
var ibanLength = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

func badChecksum() error {
	return problem("bad-checksum", "The check digits do not fit: at least one character is wrong.")
}

func readBank(raw string, hint Hint) ([]form, error) {
	s := strings.ToUpper(fold(raw))
	s, _ = cutPrefixFold(s, "IBAN")
	s = strings.TrimLeft(s, ": ")
	if len(s) > 4 && s[0] >= 'A' && s[0] <= 'Z' && digitAfterLetters(s) {
		return readIBAN(s)
	}
	s, typed := cutPrefixFold(s, "AU:")
	if !typed && hint.Country != "" && !strings.EqualFold(hint.Country, "AU") {
		return nil, problem("bad-bank", "Only IBANs and Australian BSB and account numbers can be read.")
	}
	return readBSB(s)
}

func digitAfterLetters(s string) bool { return alnum(s[1]) && digit(s[2]) && digit(s[3]) }

func readIBAN(s string) ([]form, error) {
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	for i := 0; i < len(s); i++ {
		if !alnum(s[i]) {
			return nil, problem("bad-bank", "This is not a readable bank account.")
		}
	}
	if ibanLength[s[:2]] != len(s) {
		return nil, problem("bad-length", "An IBAN of this country has another length.")
	}
	// 00, 01 and 99 fit modulus 97 as well as the digits that ISO 7064 gives.
	if d := s[2:4]; d == "00" || d == "01" || d == "99" {
		return nil, badChecksum()
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		if digit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	if rest != 1 {
		return nil, badChecksum()
	}
	return one("iban", s), nil
}

// readBSB gives au:BSB:account. Banks pad the account with zeros to different
// widths, so leading zeros go; the BSB always has six digits.
func readBSB(s string) ([]form, error) {
	if strings.Trim(s, "0123456789 -/:.") != "" {
		return nil, problem("bad-bank", "This is not a readable bank account.")
	}
	f := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	all := strings.Join(f, "")
	split := len(f) >= 2 && len(f[0]) == 6 || len(f) >= 3 && len(f[0]) == 3 && len(f[1]) == 3
	if !split && isCard(all) {
		return nil, problem("card-number", "This looks like a payment card number, which must never be submitted; give BSB and account.")
	}
	if !split && (len(f) != 1 || len(all) < 11) {
		return nil, problem("bad-bsb", "The BSB must have six digits before the account; a leading zero may have been lost.")
	}
	if len(all) > 16 {
		return nil, problem("bad-length", "An Australian account number has at most ten digits after the BSB.")
	}
	account := strings.TrimLeft(all[6:], "0")
	if account == "" {
		account = "0"
	}
	return one("bsb", "au:"+all[:6]+":"+account), nil
}

// isCard: 16 digits of a card scheme's range whose check digit fits.
func isCard(d string) bool {
	return len(d) == 16 && allDigits(d) && strings.IndexByte("2456", d[0]) >= 0 && luhn(d[:15]) == d[15]
}

func readPayID(raw string, hint Hint) ([]form, error) {
	s := refang(fold(raw))
	kind, rest, typed := strings.Cut(s, ":")
	kind = strings.ToLower(kind)
	if typed {
		return payIDAs(kind, strings.TrimSpace(rest), hint)
	}
	if strings.Contains(s, "@") {
		return payIDAs("email", s, hint)
	}
	if strings.Trim(s, "+0123456789 ()-.") != "" {
		return payIDAs("org", s, hint)
	}
	business := "abn"
	if digits := strings.ReplaceAll(s, " ", ""); len(digits) == 9 {
		business = "acn"
	}
	phone, phoneErr := payIDAs("phone", s, hint)
	number, numberErr := payIDAs(business, s, hint)
	switch {
	case phoneErr == nil && numberErr == nil:
		return nil, problem("ambiguous", "This could be a phone number or a business number: write phone:, abn: or acn: before it.")
	case phoneErr == nil:
		return phone, nil
	case numberErr == nil:
		return number, nil
	}
	return nil, phoneErr
}

func payIDAs(kind, s string, hint Hint) ([]form, error) {
	switch kind {
	case "phone":
		if hint.Country == "" {
			hint.Country = "AU" // PayID exists only in Australia
		}
		f, err := readPhone(s, hint)
		if err != nil {
			return nil, err
		}
		return one("phone", "phone:"+f[0].value), nil
	case "email":
		f, err := readEmail(s, hint)
		if err != nil {
			return nil, err
		}
		return one("email", "email:"+f[0].value), nil
	case "abn":
		s = strings.ReplaceAll(s, " ", "")
		if !goodABN(s) {
			return nil, badChecksum()
		}
		return one("abn", "abn:"+s), nil
	case "acn", "arbn", "arsn": // one series of numbers with one check digit
		s = strings.ReplaceAll(s, " ", "")
		if !goodACN(s) {
			return nil, badChecksum()
		}
		return one("acn", "acn:"+s), nil
	case "org":
		s = strings.ToLower(strings.Join(strings.Fields(s), " "))
		if s == "" || len(s) > 256 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789 .-_&'") != "" {
			break
		}
		return one("org", "org:"+s), nil
	}
	return nil, problem("bad-payid", "This is not a readable PayID.")
}

// goodABN applies the Australian Business Register's weights, modulus 89.
func goodABN(s string) bool {
	if len(s) != 11 || !allDigits(s) || s[0] == '0' {
		return false
	}
	sum := 0
	for i, w := range []int{10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19} {
		d := int(s[i] - '0')
		if i == 0 {
			d--
		}
		sum += d * w
	}
	return sum%89 == 0
}

// goodACN applies the weights 8 to 1 of the companies register, modulus 10.
func goodACN(s string) bool {
	if len(s) != 9 || !allDigits(s) {
		return false
	}
	sum := 0
	for i := range 8 {
		sum += int(s[i]-'0') * (8 - i)
	}
	return int(s[8]-'0') == (10-sum%10)%10
}

func readPayService(raw string, hint Hint) ([]form, error) {
	s := refang(fold(raw))
	service, account, typed := strings.Cut(s, ":")
	if !typed {
		service, account = hint.Platform, s
	}
	on, err := platform(service)
	if err != nil {
		return nil, err
	}
	if hint.Platform != "" {
		want, err := platform(hint.Platform)
		if err != nil {
			return nil, err
		}
		if want != on {
			return nil, problem("platform-mismatch", "The value names another service than the record.")
		}
	}
	account = strings.TrimLeft(strings.ToLower(strings.TrimSpace(account)), "$@")
	switch {
	case strings.IndexByte(account, '@') > 0:
		f, err := readEmail(account, hint)
		if err != nil {
			return nil, err
		}
		account = f[0].value
	case strings.HasPrefix(account, "+"):
		f, err := readPhone(account, hint)
		if err != nil {
			return nil, err
		}
		account = f[0].value
	}
	if !printable(account) || strings.ContainsAny(account, ":/") {
		return nil, problem("bad-payservice", "This is not a readable payment service account.")
	}
	return one("exact", on+":"+account), nil
}
