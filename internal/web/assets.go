package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"parallax/internal/fault"
)

//go:embed assets
var assetFiles embed.FS

// asset is one file that pages refer to.
type asset struct {
	name string
	body []byte
}

// assets knows each file by the path it is served under, which holds the hash
// of its content: what a browser has kept under a path never changes.
type assets struct {
	byName map[string]string // kit.css -> /assets/kit-0123456789ab.css
	byPath map[string]asset
}

func loadAssets() (assets, error) {
	a := assets{byName: map[string]string{}, byPath: map[string]asset{}}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return a, fmt.Errorf("web: assets: %w", err)
	}
	for _, e := range entries {
		body, err := fs.ReadFile(assetFiles, "assets/"+e.Name())
		if err != nil {
			return a, fmt.Errorf("web: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		at := "/assets/" + strings.TrimSuffix(e.Name(), ext) + "-" + hex.EncodeToString(sum[:6]) + ext
		a.byName[e.Name()] = at
		a.byPath[at] = asset{name: e.Name(), body: body}
	}
	return a, nil
}

func (a assets) path(name string) string { return a.byName[name] }

// Assets serves the style sheet, the script, the icon and the blank page that
// the quick exit goes to. It is mounted at "GET /assets/".
func (k *Kit) Assets() http.Handler {
	return k.Handle(func(w http.ResponseWriter, r *http.Request) error {
		found, ok := k.assets.byPath[r.URL.Path]
		if !ok {
			return fault.New(fault.NotFound, "There is nothing at this address.")
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, found.name, time.Time{}, bytes.NewReader(found.body))
		return nil
	})
}
