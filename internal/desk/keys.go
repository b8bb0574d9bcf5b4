package desk

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"

	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
)

// Roles of a desk.
const (
	RoleContributor = "contributor"
	RoleAuthority   = "authority"
	RoleApprover    = "approver"
)

// Files in a desk's directory.
const (
	identityFile = "desk.json"
	keyFile      = "desk.key"
	storeFile    = "desk.db"
	readsFile    = "reads.jsonl"
)

// scrypt parameters (RFC 7914): 32 MiB for each guess.
const scryptN, scryptR, scryptP = 1 << 15, 8, 3

// A Profile is the public side of a desk.
type Profile struct {
	ID     string `json:"id"`
	Entity string `json:"entity"`
	Sector string `json:"sector"`
	Name   string `json:"name"`
	Role   string `json:"role"`
}

// secrets are a desk's private keys; they are on disk only sealed.
type secrets struct {
	Sign  []byte `json:"sign"`  // Ed25519 seed
	Store []byte `json:"store"` // 32 bytes, for the local store
	HPKE  []byte `json:"hpke"`  // X25519 private key, only at the authority
}

// String hides the keys.
func (secrets) String() string { return "[desk keys]" }

// GoString hides the keys.
func (secrets) GoString() string { return "[desk keys]" }

type identity struct {
	Profile
	Public  ed25519.PublicKey `json:"public"`
	HPKEPub []byte            `json:"hpke_public"`
	Lock    string            `json:"lock"` // lockFile or lockScrypt
	Salt    []byte            `json:"salt"`
	Sealed  []byte            `json:"sealed"` // secrets
}

// How the keys are locked.
const (
	lockFile   = "file"
	lockScrypt = "scrypt"
)

// A Card is what others need of a desk for the manifest; parts that do not fit
// its role are left out.
type Card struct {
	Member    *opening.Member    `json:"member,omitempty"`
	Authority *opening.Authority `json:"authority,omitempty"`
	Approver  *opening.Approver  `json:"approver,omitempty"`
	// Witness lists the desk as a witness of the log, if governance wants it.
	Witness *opening.DeskWitness `json:"witness,omitempty"`
}

// witnessKey signs cosignatures of the log's checkpoints and nothing else. It
// follows from the signing key, so that a desk made before has one too.
func (s secrets) witnessKey() (ed25519.PrivateKey, error) {
	seed, err := hkdf.Key(sha256.New, s.Sign, nil, "parallax/desk-witness-key/v1", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (i identity) card() Card {
	member := &opening.Member{ID: i.ID, Name: i.Name, Entity: i.Entity, Sector: i.Sector, Key: i.Public, Status: opening.Active}
	approver := &opening.Approver{ID: i.ID, Entity: i.Entity, Role: opening.RoleOversight, Key: i.Public}
	switch i.Role {
	case RoleAuthority:
		approver.Role = opening.RoleAuthority
		return Card{Member: member, Approver: approver, Authority: &opening.Authority{ID: i.ID, Entity: i.Entity, HPKE: i.HPKEPub}}
	case RoleApprover:
		return Card{Approver: approver}
	}
	return Card{Member: member}
}

// Init makes a desk in dir and returns its card. With an empty passphrase the
// keys are locked by a key file beside them. It never overwrites a desk.
func Init(dir string, p Profile, passphrase string, random io.Reader) (Card, error) {
	if p.ID == "" || p.Entity == "" {
		return Card{}, invalid("a desk needs an id and a controlling entity")
	}
	if p.Role != RoleContributor && p.Role != RoleAuthority && p.Role != RoleApprover {
		return Card{}, invalid("the role %q is not known; use contributor, authority or approver", p.Role)
	}
	if passphrase != "" && len(passphrase) < minSecret {
		return Card{}, invalid("a passphrase that locks a desk has at least %d characters; any will do", minSecret)
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	buf := make([]byte, ed25519.SeedSize+32+32)
	if _, err := io.ReadFull(random, buf); err != nil {
		return Card{}, err
	}
	s := secrets{Sign: buf[:32], Store: buf[32:64]}
	i := identity{Profile: p, Public: ed25519.NewKeyFromSeed(s.Sign).Public().(ed25519.PublicKey), Lock: lockFile, Salt: buf[64:]}
	if p.Role == RoleAuthority {
		var err error
		if s.HPKE, i.HPKEPub, err = seal.GenerateHPKE(); err != nil {
			return Card{}, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Card{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, identityFile)); err == nil {
		return Card{}, fault.New(fault.Conflict, filepath.Join(dir, identityFile)+" is there already; a desk is never overwritten")
	}
	kek, err := i.newLock(dir, passphrase, random)
	if err != nil {
		return Card{}, err
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return Card{}, err
	}
	if i.Sealed, err = sealBytes(kek, []byte(identityFile), raw, random); err != nil {
		return Card{}, err
	}
	if raw, err = json.MarshalIndent(i, "", "  "); err != nil {
		return Card{}, err
	}
	witness, err := s.witnessKey()
	if err != nil {
		return Card{}, err
	}
	card := i.card()
	card.Witness = &opening.DeskWitness{ID: i.ID, Entity: i.Entity, Key: witness.Public().(ed25519.PublicKey)}
	return card, writeNew(filepath.Join(dir, identityFile), raw)
}

func (i *identity) newLock(dir, passphrase string, random io.Reader) ([]byte, error) {
	if passphrase != "" {
		i.Lock = lockScrypt
		return scrypt.Key([]byte(passphrase), i.Salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize)
	}
	kek := make([]byte, chacha20poly1305.KeySize)
	if _, err := io.ReadFull(random, kek); err != nil {
		return nil, err
	}
	return kek, writeNew(filepath.Join(dir, keyFile), kek)
}

// loadIdentity reads and unlocks a desk's keys.
func loadIdentity(dir, passphrase string) (identity, secrets, error) {
	var i identity
	var s secrets
	raw, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return i, s, fault.Wrap(fault.Invalid, "There is no desk in "+dir+"; make one with \"parallax desk init\".", err)
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return i, s, fmt.Errorf("%s: %w", identityFile, err)
	}
	var kek []byte
	switch {
	case i.Lock == lockFile:
		kek, err = os.ReadFile(filepath.Join(dir, keyFile))
	case passphrase == "":
		err = fault.New(fault.Invalid, "This desk is locked by a passphrase; set PARALLAX_DESK_PASSPHRASE.")
	default:
		kek, err = scrypt.Key([]byte(passphrase), i.Salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize)
	}
	if err != nil {
		return i, s, err
	}
	plain, err := openBytes(kek, []byte(identityFile), i.Sealed)
	if err != nil {
		return i, s, fault.Wrap(fault.Forbidden, "The desk's keys could not be unlocked: wrong passphrase or key file.", err)
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return i, s, err
	}
	if len(s.Sign) != ed25519.SeedSize || len(s.Store) != 32 {
		return i, s, errors.New("the desk's keys have the wrong size")
	}
	return i, s, nil
}

// writeNew writes a file for its owner only and fails if it is there.
func writeNew(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}
