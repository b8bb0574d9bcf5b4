package selector

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"

	"golang.org/x/crypto/sha3"
)

func badWallet() error {
	return problem("bad-wallet", "This is not a readable address with a checksum of a supported kind.")
}

func unknownWallet() error {
	return problem("unknown-wallet", "This address belongs to a network that is not supported, such as a test network.")
}

// readWallet gives base58check addresses as they are, bech32 and EVM addresses
// in lower case. An address without a checksum of its own is refused, except
// EVM addresses in one case, which carry none.
func readWallet(raw string, _ Hint) ([]form, error) {
	s := fold(raw)
	for _, scheme := range []string{"bitcoin:", "ethereum:", "litecoin:", "tron:", "dogecoin:"} {
		s, _ = cutPrefixFold(s, scheme)
	}
	s, _, _ = strings.Cut(s, "?")
	if len(s) > 90 {
		return nil, badWallet()
	}
	if rest, ok := cutPrefixFold(s, "0x"); ok {
		return readEVM(rest)
	}
	if i := strings.LastIndexByte(s, '1'); i > 0 {
		hrp := strings.ToLower(s[:i])
		switch hrp {
		case "bc", "ltc":
			return readBech32(s, hrp)
		case "tb", "bcrt", "tltc", "rltc", "lnbc", "lntb", "addr", "cosmos":
			return nil, unknownWallet()
		}
	}
	return readBase58(s)
}

func readEVM(h string) ([]form, error) {
	if len(h) != 40 || !isHex(h) {
		return nil, badWallet()
	}
	lower := strings.ToLower(h)
	if h != lower && h != strings.ToUpper(h) && h != checksumCase(lower) {
		return nil, badChecksum()
	}
	return one("evm", "0x"+lower), nil
}

// checksumCase applies EIP-55: a letter is a capital where the Keccak-256 of
// the lower-case text has a nibble of 8 or more.
func checksumCase(lower string) string {
	k := sha3.NewLegacyKeccak256()
	k.Write([]byte(lower))
	digest := hex.EncodeToString(k.Sum(nil))
	out := []byte(lower)
	for i, c := range out {
		if c >= 'a' && digest[i] >= '8' {
			out[i] = c - 32
		}
	}
	return string(out)
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// versions of mainnet addresses: Bitcoin, Litecoin, Dogecoin, Tron, Dash.
var base58Versions = []byte{0x00, 0x05, 0x30, 0x32, 0x1e, 0x16, 0x41, 0x4c, 0x10}

func readBase58(s string) ([]form, error) {
	if len(s) < 25 || len(s) > 36 {
		return nil, badWallet()
	}
	n := new(big.Int)
	for i := 0; i < len(s); i++ {
		d := strings.IndexByte(base58, s[i])
		if d < 0 {
			return nil, badWallet()
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(d)))
	}
	zeros := len(s) - len(strings.TrimLeft(s, "1"))
	b := append(make([]byte, zeros), n.Bytes()...)
	if len(b) != 25 {
		return nil, badWallet()
	}
	one1 := sha256.Sum256(b[:21])
	two := sha256.Sum256(one1[:])
	if !bytes.Equal(two[:4], b[21:]) {
		return nil, badChecksum()
	}
	if !bytes.Contains(base58Versions, b[:1]) {
		return nil, unknownWallet()
	}
	return one("base58", s), nil
}

const bech32Set = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// readBech32 checks BIP 173 (witness version 0) and BIP 350 (1 and above).
func readBech32(s, hrp string) ([]form, error) {
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) {
		return nil, problem("mixed-case", "This kind of address must not mix capital and small letters.")
	}
	var v []byte
	for _, c := range []byte(lower[len(hrp)+1:]) {
		d := strings.IndexByte(bech32Set, c)
		if d < 0 {
			return nil, badWallet()
		}
		v = append(v, byte(d))
	}
	if len(v) < 8 {
		return nil, badWallet()
	}
	want := uint32(1)
	if v[0] > 0 {
		want = 0x2bc830a3
	}
	if polymod(hrp, v) != want {
		return nil, badChecksum()
	}
	if !goodWitness(v[0], v[1:len(v)-6]) {
		return nil, badWallet()
	}
	return one("bech32", lower), nil
}

func polymod(hrp string, v []byte) uint32 {
	var in []byte
	for _, c := range []byte(hrp) {
		in = append(in, c>>5)
	}
	in = append(in, 0)
	for _, c := range []byte(hrp) {
		in = append(in, c&31)
	}
	chk := uint32(1)
	for _, x := range append(in, v...) {
		top := chk >> 25
		chk = (chk&0x1ffffff)<<5 ^ uint32(x)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				chk ^= g
			}
		}
	}
	return chk
}

func goodWitness(version byte, groups []byte) bool {
	n, pad := len(groups)*5/8, len(groups)*5%8
	if version > 16 || pad > 4 || n < 2 || n > 40 {
		return false
	}
	if pad > 0 && groups[len(groups)-1]&(1<<pad-1) != 0 {
		return false
	}
	return version != 0 || n == 20 || n == 32
}
