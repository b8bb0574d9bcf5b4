package hub

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parallax/opening"
)

const identityFile = "identity.json"

// An Identity is the hub's long-lived keys: one signs receipts and messages,
// one the log's checkpoints. It prints as a placeholder.
type Identity struct {
	ID     string `json:"id"`
	Entity string `json:"entity"`
	URL    string `json:"url"`
	Origin string `json:"origin"`
	Sign   []byte `json:"sign"` // Ed25519 seed
	Log    []byte `json:"log"`  // Ed25519 seed
}

// String hides the keys.
func (i Identity) String() string { return "[identity of " + i.ID + "]" }

// GoString hides the keys.
func (i Identity) GoString() string { return i.String() }

func (i Identity) signKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(i.Sign) }
func (i Identity) logKey() ed25519.PrivateKey  { return ed25519.NewKeyFromSeed(i.Log) }

// Card is the public side, for the ceremony plan and the manifest.
func (i Identity) Card() opening.Operator {
	return opening.Operator{ID: i.ID, Entity: i.Entity, URL: i.URL, Key: i.signKey().Public().(ed25519.PublicKey),
		LogOrigin: i.Origin, LogKey: i.logKey().Public().(ed25519.PublicKey)}
}

// Init makes a hub's identity in dir and returns its card. It never overwrites
// an identity. Origin names the transparency log; empty means "parallax/ID".
func Init(dir, id, entity, url, origin string, random io.Reader) (opening.Operator, error) {
	if id == "" || entity == "" || url == "" {
		return opening.Operator{}, errors.New("a hub needs an id, a controlling entity and a URL")
	}
	if origin == "" {
		origin = "parallax/" + id
	}
	seeds := make([]byte, 2*ed25519.SeedSize)
	if _, err := io.ReadFull(random, seeds); err != nil {
		return opening.Operator{}, err
	}
	who := Identity{ID: id, Entity: entity, URL: url, Origin: origin, Sign: seeds[:ed25519.SeedSize], Log: seeds[ed25519.SeedSize:]}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return opening.Operator{}, err
	}
	raw, err := json.Marshal(who)
	if err != nil {
		return opening.Operator{}, err
	}
	f, err := os.OpenFile(filepath.Join(dir, identityFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return opening.Operator{}, err
	}
	_, err = f.Write(raw)
	return who.Card(), errors.Join(err, f.Sync(), f.Close())
}

// LoadIdentity reads what Init made.
func LoadIdentity(dir string) (Identity, error) {
	raw, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return Identity{}, err
	}
	var who Identity
	if err := json.Unmarshal(raw, &who); err != nil {
		return Identity{}, fmt.Errorf("%s: %w", identityFile, err)
	}
	if len(who.Sign) != ed25519.SeedSize || len(who.Log) != ed25519.SeedSize {
		return Identity{}, fmt.Errorf("%s holds keys of the wrong size", identityFile)
	}
	return who, nil
}
