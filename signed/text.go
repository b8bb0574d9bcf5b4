package signed

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// DecodeBase64 reads the one base64 spelling (RFC 4648, section 4) of exactly
// len(out) bytes. What it refuses leaves out as it was. A decoder alone is too
// kind: it passes over line ends, so one value would have many spellings.
func DecodeBase64(out, text []byte) error {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != len(out) || len(text) != base64.StdEncoding.EncodedLen(len(out)) {
		return fmt.Errorf("want base64 of %d bytes, without line ends", len(out))
	}
	copy(out, raw)
	return nil
}

// DecodeHex reads the one hexadecimal spelling of exactly len(out) bytes:
// lower case. What it refuses leaves out as it was.
func DecodeHex(out, text []byte) error {
	if len(text) != hex.EncodedLen(len(out)) {
		return fmt.Errorf("%d hex digits, want %d", len(text), hex.EncodedLen(len(out)))
	}
	raw := make([]byte, len(out))
	if _, err := hex.Decode(raw, text); err != nil || !bytes.Equal(hex.AppendEncode(nil, raw), text) {
		return fmt.Errorf("want %d lower-case hex digits", len(text))
	}
	copy(out, raw)
	return nil
}
