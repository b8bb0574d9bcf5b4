package keyholder

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parallax/client"
	"parallax/group"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
)

// Files in a holder's directory.
const (
	identityFile = "identity.json"
	sharesFile   = "shares.json"
	journalFile  = "journal.jsonl"
)

// An Identity is the holder's own long-lived keys, made before the ceremony.
// It prints as a placeholder; its file is readable by its owner only.
type Identity struct {
	ID      string `json:"id"`
	Entity  string `json:"entity"`
	URL     string `json:"url"`
	Sign    []byte `json:"sign"`    // Ed25519 seed
	Witness []byte `json:"witness"` // Ed25519 seed
	HPKE    []byte `json:"hpke"`    // X25519 private key
	HPKEPub []byte `json:"hpke_public"`
}

// String hides the keys.
func (i Identity) String() string { return "[identity of " + i.ID + "]" }

// GoString hides the keys.
func (i Identity) GoString() string { return i.String() }

func (i Identity) signKey() ed25519.PrivateKey    { return ed25519.NewKeyFromSeed(i.Sign) }
func (i Identity) witnessKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(i.Witness) }

// Card is the public side, which goes into the ceremony plan and the manifest.
func (i Identity) Card() opening.Holder {
	return opening.Holder{ID: i.ID, Entity: i.Entity, URL: i.URL,
		Key: i.signKey().Public().(ed25519.PublicKey), HPKE: i.HPKEPub,
		Witness: i.witnessKey().Public().(ed25519.PublicKey)}
}

// Init makes a holder's identity in dir and returns its card. It never
// overwrites an identity.
func Init(dir, id, entity, url string, random io.Reader) (opening.Holder, error) {
	if id == "" || entity == "" || url == "" {
		return opening.Holder{}, errors.New("a holder needs an id, a controlling entity and a URL")
	}
	seeds := make([]byte, 2*ed25519.SeedSize)
	if _, err := io.ReadFull(random, seeds); err != nil {
		return opening.Holder{}, err
	}
	priv, pub, err := seal.GenerateHPKE()
	if err != nil {
		return opening.Holder{}, err
	}
	who := Identity{ID: id, Entity: entity, URL: url, Sign: seeds[:ed25519.SeedSize],
		Witness: seeds[ed25519.SeedSize:], HPKE: priv, HPKEPub: pub}
	if err := writeNew(filepath.Join(dir, identityFile), who); err != nil {
		return opening.Holder{}, err
	}
	return who.Card(), nil
}

// LoadIdentity reads the identity that Init made.
func LoadIdentity(dir string) (Identity, error) {
	var who Identity
	if err := readJSON(filepath.Join(dir, identityFile), &who); err != nil {
		return Identity{}, err
	}
	if len(who.Sign) != ed25519.SeedSize || len(who.Witness) != ed25519.SeedSize || len(who.HPKE) != 32 {
		return Identity{}, fmt.Errorf("%s holds keys of the wrong size", identityFile)
	}
	return who, nil
}

// shareFile is what a ceremony leaves behind: the plan, the transcript that all
// holders signed and this holder's shares. A resharing adds its record and puts
// new shares in the place of the old ones.
type shareFile struct {
	Plan       client.Plan       `json:"plan"`
	Transcript dkg.Transcript    `json:"transcript"`
	Reshares   []client.Reshare  `json:"reshares,omitempty"`
	Index      int               `json:"index"`          // in the committee in force; 0: not in it
	Shares     map[string][]byte `json:"shares"`         // empty: this holder has none of this generation
	Over       []int             `json:"over,omitempty"` // generations of which a share was destroyed here
}

func (f shareFile) setup() client.Setup {
	return client.Setup{Plan: f.Plan, Transcript: f.Transcript, Reshares: f.Reshares}
}

// keys are the shares in use, checked against the transcript and the records of
// resharings.
type keys struct {
	plan      client.Plan
	setup     client.Setup
	committee client.Committee // that holds the shares now
	index     int              // in it; 0: this holder has no place
	shares    map[string]group.Share
	over      []int
}

// share gives the share of a key, or says why there is none.
func (k keys) share(label string) (group.Share, error) {
	s, ok := k.shares[label]
	if !ok {
		return s, fault.Newf(fault.Unavailable, "This key holder has no share of generation %d of the keys. It answers again once a resharing has given it one.", k.committee.Generation)
	}
	return s, nil
}

func newShareFile(plan client.Plan, index int, res dkg.Result) shareFile {
	f := shareFile{Plan: plan, Transcript: res.Transcript, Index: index, Shares: make(map[string][]byte)}
	for label, s := range res.Shares {
		f.Shares[label] = s.Bytes()
	}
	return f
}

func saveShares(dir string, plan client.Plan, index int, res dkg.Result) error {
	return writeNew(filepath.Join(dir, sharesFile), newShareFile(plan, index, res))
}

// loadKeys reads the shares and refuses any mismatch with the transcript or
// with the holder's own identity.
func loadKeys(dir string, who Identity) (keys, error) {
	var f shareFile
	if err := readJSON(filepath.Join(dir, sharesFile), &f); err != nil {
		return keys{}, fmt.Errorf("no key shares here; run the key ceremony first: %w", err)
	}
	return f.keys(who)
}

func (f shareFile) keys(who Identity) (keys, error) {
	k := keys{plan: f.Plan, setup: f.setup(), index: f.Index, shares: make(map[string]group.Share), over: f.Over}
	if err := k.setup.Verify(opening.Hash(f.Transcript.Hash())); err != nil {
		return keys{}, fmt.Errorf("the ceremony transcript does not verify: %w", err)
	}
	k.committee = k.setup.Committee()
	if place := k.committee.Place(who.Card().Key); place != f.Index {
		return keys{}, fmt.Errorf("%s says place %d of the committee that holds the key shares, and this identity has place %d", sharesFile, f.Index, place)
	}
	if len(f.Shares) == 0 { // lost, not given yet, or over
		return k, nil
	}
	if err := ownPlace(k.committee.Holders, who, f.Index); err != nil {
		return keys{}, err
	}
	for _, pub := range k.committee.Keys {
		share, err := group.ShareFromBytes(f.Index, f.Shares[pub.Label])
		if err != nil {
			return keys{}, fmt.Errorf("key share %q: %w", pub.Label, err)
		}
		if share.PublicPoint() != pub.Holders[f.Index-1] {
			return keys{}, fmt.Errorf("key share %q does not fit the transcript", pub.Label)
		}
		k.shares[pub.Label] = share
	}
	return k, nil
}

// ownPlace requires that a committee lists this identity at index, key by key.
func ownPlace(holders []opening.Holder, who Identity, index int) error {
	if index < 1 || index > len(holders) {
		return fmt.Errorf("index %d is not in the plan", index)
	}
	h, card := holders[index-1], who.Card()
	card.Index = index
	a, errA := json.Marshal(h)
	b, errB := json.Marshal(card)
	if errA != nil || errB != nil || string(a) != string(b) {
		return fmt.Errorf("the plan's holder %d is not this holder: its card differs from %s", index, identityFile)
	}
	return nil
}

func readJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeNew writes v for its owner only, synced before the name appears, and
// fails if the name is taken.
func writeNew(path string, v any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(append(raw, '\n')); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already; it is never overwritten", path)
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

// replaceFile puts content in path's place, whole and on disk, or leaves what
// was there.
func replaceFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, werr := tmp.Write(content)
	if err := errors.Join(werr, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
