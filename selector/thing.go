package selector

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
)

func badDevice() error { return problem("bad-device", "This is not a readable device id.") }

// readDevice gives imei:, uuid: (advertising ids) or android: ids.
func readDevice(raw string, _ Hint) ([]form, error) {
	s := strings.TrimPrefix(strings.ToLower(fold(raw)), "urn:")
	kind, rest, typed := strings.Cut(s, ":")
	if !typed {
		if isCard(strings.NewReplacer(" ", "", "-", "").Replace(s)) {
			return nil, problem("card-number", "This looks like a payment card number, which must never be submitted; write imeisv: before an IMEISV.")
		}
		return guessDevice(s)
	}
	rest = strings.TrimSpace(rest)
	switch kind {
	case "imei", "imeisv":
		return readIMEI(rest, kind == "imeisv")
	case "uuid", "idfa", "gaid", "aaid", "idfv":
		return readUUID(rest)
	case "android":
		return readAndroid(rest)
	}
	return nil, badDevice()
}

func guessDevice(s string) ([]form, error) {
	plain := strings.NewReplacer(" ", "", "-", "", "/", "", "{", "", "}", "").Replace(s)
	switch {
	case len(plain) == 32 && isHex(plain):
		return readUUID(s)
	case len(s) == 16 && allDigits(s):
		return nil, problem("ambiguous", "This could be an IMEISV or an Android id: write imeisv: or android: before it.")
	case len(s) == 16 && isHex(s):
		return readAndroid(s)
	}
	return readIMEI(s, len(plain) == 16)
}

// readIMEI gives 15 digits. The check digit is not part of what a phone sends,
// so 14 digits (and the 16 of an IMEISV) get theirs computed.
func readIMEI(s string, sv bool) ([]form, error) {
	s = strings.NewReplacer(" ", "", "-", "", "/", "").Replace(s)
	if !allDigits(s) {
		return nil, badDevice()
	}
	switch {
	case sv && len(s) == 16, !sv && len(s) == 14:
		s = s[:14]
		return one("imei", "imei:"+s+string(luhn(s))), nil
	case sv || len(s) != 15:
		return nil, badDevice()
	case luhn(s[:14]) != s[14]:
		return nil, badChecksum()
	}
	return one("imei", "imei:"+s), nil
}

func luhn(s string) byte {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

func readUUID(s string) ([]form, error) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = strings.ReplaceAll(s, "-", "")
	}
	if len(s) != 32 || !isHex(s) {
		return nil, badDevice()
	}
	return one("uuid", "uuid:"+s[:8]+"-"+s[8:12]+"-"+s[12:16]+"-"+s[16:20]+"-"+s[20:]), nil
}

func readAndroid(s string) ([]form, error) {
	if len(s) != 16 || !isHex(s) {
		return nil, badDevice()
	}
	return one("android", "android:"+s), nil
}

func perceptual() error {
	return problem("perceptual-hash", "A perceptual hash must not be tokenised: near matches would be lost. Match it locally and use the shared list's id.")
}

var perceptualNames = map[string]bool{"pdq": true, "photodna": true, "pdna": true, "phash": true, "dhash": true, "ahash": true, "whash": true, "tmk": true, "tmkpdqf": true, "vpdq": true, "neuralhash": true, "md5video": true, "videomd5": true, "photodnahash": true, "blockhash": true}

// digestLength is the length in hex digits of each digest that is read.
var digestLength = map[string]int{"md5": 32, "sha1": 40, "sha256": 64}

// Algorithms lists what Hint.Algorithm may name.
func Algorithms() []string { return []string{"md5", "sha1", "sha256"} }

// otherDigests are digests that members would not agree on; a list cannot be
// named like one.
var otherDigests = words("md4 sha0 sha224 sha384 sha512 sha3 blake2b blake2s blake3 crc32 ed2k tth tiger ripemd160 whirlpool xxhash")

// plainAlgorithm writes SHA-256, sha_256 and sha256 alike.
func plainAlgorithm(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// readHash gives list:ID (list name in lower case, id exact) or an exact digest.
// A bare digest needs its algorithm from the record: a perceptual hash of 128
// or 256 bits looks just like MD5 or SHA-256.
func readHash(raw string, hint Hint) ([]form, error) {
	s, _ := cutPrefixFold(fold(raw), "urn:")
	told := plainAlgorithm(fold(hint.Algorithm))
	if perceptualNames[told] {
		return nil, perceptual()
	}
	name, id, typed := strings.Cut(s, ":")
	if !typed {
		return readDigest(told, s)
	}
	name, id = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(id)
	plain := plainAlgorithm(name)
	if perceptualNames[plain] {
		return nil, perceptual()
	}
	if digestLength[plain] > 0 {
		if told != "" && told != plain {
			return nil, problem("algorithm-mismatch", "The value names another algorithm than the mapping.")
		}
		return readDigest(plain, id)
	}
	if otherDigests[plain] {
		return nil, badHash()
	}
	if len(name) < 2 || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" ||
		len(id) > 128 || id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return nil, badHash()
	}
	return one("list", name+":"+id), nil
}

func badHash() error {
	return problem("bad-hash", "This is neither a hash-list id nor an MD5, SHA-1 or SHA-256 in hex.")
}

func readDigest(kind, s string) ([]form, error) {
	if kind == "sha1" && len(s) == 32 { // file-sharing networks write it in base32
		b, err := base32.StdEncoding.DecodeString(strings.ToUpper(s))
		if err != nil {
			return nil, badHash()
		}
		s = hex.EncodeToString(b)
	}
	s = strings.ToLower(s)
	if !isHex(s) {
		return nil, badHash()
	}
	if kind == "" {
		switch len(s) {
		case 16:
			return nil, perceptual()
		case 32, 64:
			return nil, problem("needs-algorithm", "Bare hex of this length may be a perceptual hash: write md5: or sha256: before it, or name the algorithm of the column in the mapping.")
		case 40:
			kind = "sha1" // no perceptual hash in use has 160 bits
		}
	}
	if digestLength[kind] != len(s) {
		return nil, badHash()
	}
	return one(kind, kind+":"+s), nil
}
