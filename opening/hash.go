package opening

import (
	"encoding/hex"
	"fmt"

	"parallax/signed"
)

// A Hash is 32 bytes that name an object; text form is lower-case hex.
type Hash [32]byte

// String gives 64 hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives 64 hex digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	if err := signed.DecodeHex(h[:], b); err != nil {
		return fmt.Errorf("hash: %w", err)
	}
	return nil
}
