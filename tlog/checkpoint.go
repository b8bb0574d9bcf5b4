package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Signature types of C2SP signed notes.
const (
	algEd25519     = 0x01
	algCosignature = 0x04
)

// maxNote bounds a checkpoint note, in bytes.
const maxNote = 1 << 16

// A Checkpoint is the head of a log (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// Text is the signed text: three lines.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads the three lines and refuses any other spelling.
func ParseCheckpoint(text string) (Checkpoint, error) {
	bad := errors.New("not a checkpoint")
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return Checkpoint{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || err2 != nil || size < 0 || len(root) != 32 {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if c.Text() != text {
		return Checkpoint{}, bad
	}
	return c, nil
}

// keyID is the first four bytes of SHA-256(name | LF | algorithm | key).
func keyID(name string, alg byte, pub ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{alg})
	h.Write(pub)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// VerifierKey is a log's key as C2SP signed notes spell it, for verifiers
// written by others.
func VerifierKey(origin string, pub ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(origin, pub)
}

func line(name string, id uint32, sig []byte) []byte {
	raw := append(binary.BigEndian.AppendUint32(nil, id), sig...)
	return fmt.Appendf(nil, "— %s %s\n", name, base64.StdEncoding.EncodeToString(raw))
}

// SignCheckpoint makes the note: text, blank line and the log's signature line.
func SignCheckpoint(c Checkpoint, key ed25519.PrivateKey) []byte {
	text := c.Text()
	pub := key.Public().(ed25519.PublicKey)
	out := append([]byte(text), '\n')
	return append(out, line(c.Origin, keyID(c.Origin, algEd25519, pub), ed25519.Sign(key, []byte(text)))...)
}

// cosigned is what a cosignature/v1 signs.
func cosigned(text string, at int64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// Cosign makes a witness's cosignature line over a checkpoint at a time.
func Cosign(c Checkpoint, witness string, key ed25519.PrivateKey, at time.Time) []byte {
	pub := key.Public().(ed25519.PublicKey)
	raw := append(binary.BigEndian.AppendUint64(nil, uint64(at.Unix())), CosignatureOf(c, key, at.Unix())...)
	return line(witness, keyID(witness, algCosignature, pub), raw)
}

// CosignatureOf is the bare signature in a witness's line, at a time in seconds
// since 1970. Asked again for the same, an honest witness makes the same bytes.
func CosignatureOf(c Checkpoint, key ed25519.PrivateKey, at int64) []byte {
	return ed25519.Sign(key, cosigned(c.Text(), at))
}

// VerifyCosignature checks a bare signature of [CosignatureOf].
func VerifyCosignature(c Checkpoint, key ed25519.PublicKey, at int64, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && at >= 0 && ed25519.Verify(key, cosigned(c.Text(), at), sig)
}

// A WitnessKey is a witness that counts towards the quorum.
type WitnessKey struct {
	Name string
	Key  ed25519.PublicKey
}

// A Cosignature is a verified one.
type Cosignature struct {
	Witness string
	Time    time.Time
}

// verifier adapts one key to x/mod's note format.
type verifier struct {
	name   string
	id     uint32
	verify func(msg, sig []byte) bool
}

// Name is the key's name in signature lines.
func (v verifier) Name() string { return v.name }

// KeyHash is the key id in signature lines.
func (v verifier) KeyHash() uint32 { return v.id }

// Verify checks one signature over the note's text.
func (v verifier) Verify(msg, sig []byte) bool { return v.verify(msg, sig) }

func logVerifier(origin string, pub ed25519.PublicKey) verifier {
	return verifier{origin, keyID(origin, algEd25519, pub), func(msg, sig []byte) bool { return ed25519.Verify(pub, msg, sig) }}
}

func witnessVerifier(w WitnessKey) verifier {
	return verifier{w.Name, keyID(w.Name, algCosignature, w.Key), func(msg, sig []byte) bool {
		if len(sig) != 8+ed25519.SignatureSize {
			return false
		}
		at := binary.BigEndian.Uint64(sig)
		return at <= math.MaxInt64 && ed25519.Verify(w.Key, cosigned(string(msg), int64(at)), sig[8:])
	}}
}

// VerifyNote checks a checkpoint note: the log's own signature under origin,
// and at least quorum cosignatures by different listed witnesses. Unknown
// signature lines are ignored; a known key with a bad signature is refused. So
// is a list in which one key would count twice: under two names, or as the
// log's own witness.
func VerifyNote(raw []byte, origin string, logKey ed25519.PublicKey, witnesses []WitnessKey, quorum int) (Checkpoint, []Cosignature, error) {
	if len(raw) > maxNote {
		return Checkpoint{}, nil, errors.New("checkpoint: the note is too long")
	}
	known, err := verifiers(origin, logKey, witnesses)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	n, err := note.Open(raw, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if c.Origin != origin {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint: it is of the log %q", c.Origin)
	}
	own, cosigs, err := sortSignatures(n.Sigs, origin)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if !own {
		return Checkpoint{}, nil, errors.New("checkpoint: the log's own signature is missing")
	}
	if len(cosigs) < quorum {
		return Checkpoint{}, nil, fmt.Errorf("checkpoint: %d witnesses cosigned it, %d are needed", len(cosigs), quorum)
	}
	return c, cosigs, nil
}

// verifiers lists the keys that may sign, each once.
func verifiers(origin string, logKey ed25519.PublicKey, witnesses []WitnessKey) ([]note.Verifier, error) {
	if len(logKey) != ed25519.PublicKeySize {
		return nil, errors.New("checkpoint: the log's key has a wrong length")
	}
	known := []note.Verifier{logVerifier(origin, logKey)}
	names := map[string]bool{origin: true}
	keys := map[string]bool{string(logKey): true}
	for _, w := range witnesses {
		switch {
		case len(w.Key) != ed25519.PublicKeySize:
			return nil, fmt.Errorf("checkpoint: the key of %s has a wrong length", w.Name)
		case names[w.Name]:
			return nil, fmt.Errorf("checkpoint: two keys are named %s", w.Name)
		case keys[string(w.Key)]:
			return nil, fmt.Errorf("checkpoint: the key of %s is there twice", w.Name)
		}
		names[w.Name], keys[string(w.Key)] = true, true
		known = append(known, witnessVerifier(w))
	}
	return known, nil
}

func sortSignatures(sigs []note.Signature, origin string) (own bool, cosigs []Cosignature, err error) {
	seen := make(map[string]bool)
	for _, s := range sigs {
		if s.Name == origin {
			own = true
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(raw) < 12 {
			return false, nil, errors.New("checkpoint: a cosignature is cut short")
		}
		if !seen[s.Name] {
			seen[s.Name] = true
			cosigs = append(cosigs, Cosignature{s.Name, time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0)})
		}
	}
	return own, cosigs, nil
}

// AddLine appends a signature line to a note.
func AddLine(raw, sigLine []byte) []byte {
	return append(bytes.Clone(raw), sigLine...)
}
