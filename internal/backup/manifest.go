package backup

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parallax/internal/fault"
)

const manifestFile = "manifest.json"

// A Manifest says what a copy holds. Its tag, made with the passphrase, covers
// everything else in it.
type Manifest struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`   // the same for data and record keys of one moment
	Kind    string    `json:"kind"` // hub, keyholder or desk
	Part    string    `json:"part"` // data or keys
	Made    time.Time `json:"made"`
	Apart   bool      `json:"keys_apart"` // the folder has record keys, which are in a copy of their own
	Salt    []byte    `json:"salt"`
	Files   []File    `json:"files"`
	Tag     []byte    `json:"tag"`
}

// Parts of a copy.
const (
	PartData = "data"
	PartKeys = "keys"
)

// A File of a copy.
type File struct {
	Name   string `json:"name"` // its path in the folder, with slashes
	Sealed string `json:"sealed"`
	Size   int64  `json:"size"`
	SHA256 []byte `json:"sha256"`
}

func (m Manifest) bytes() ([]byte, error) {
	m.Tag = nil
	return json.Marshal(m)
}

func (m *Manifest) write(dir string, k keys) error {
	raw, err := m.bytes()
	if err != nil {
		return err
	}
	m.Tag = k.tag(raw)
	if raw, err = json.MarshalIndent(m, "", "  "); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestFile), append(raw, '\n'))
}

// readManifest reads a manifest and, with a passphrase, verifies it.
func readManifest(dir, passphrase string) (Manifest, keys, error) {
	var m Manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, keys{}, fault.Wrap(fault.Invalid, "There is no backup in "+dir+".", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Version != 1 {
		return m, keys{}, fault.Wrap(fault.Invalid, "The manifest in "+dir+" cannot be read by this program.", err)
	}
	k, err := newKeys(passphrase, m.Salt)
	if err != nil {
		return m, k, err
	}
	if raw, err = m.bytes(); err != nil {
		return m, k, err
	}
	if !hmac.Equal(m.Tag, k.tag(raw)) {
		return m, k, fault.New(fault.Invalid, "The passphrase is another than this backup was made with, or its manifest was changed.")
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || !filepath.IsLocal(f.Sealed) {
			return m, k, fmt.Errorf("the manifest names a file outside the folder: %s", f.Name)
		}
	}
	return m, k, nil
}

// writeFile writes a new file and syncs it.
func writeFile(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
