package transparency

import (
	"net/http"
	"strconv"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/tlog"
)

// tileParam is the rest of a tile's address in the pattern of its route.
const tileParam = "tile"

// TilePattern is the pattern of the tiles' route below a log's prefix.
const TilePattern = "tile/{" + tileParam + "...}"

// forEver lets anybody keep a tile: what it holds never changes.
const forEver = "public, max-age=31536000, immutable"

// ServeTile answers with a tile of the witnessed log (C2SP tlog-tiles).
func (l *Log) ServeTile() api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t, err := tlog.ParseTile(r.PathValue(tileParam))
		if err != nil {
			return fault.Wrap(fault.NotFound, "This is not the address of a tile. Tiles are at tile/LEVEL/INDEX and tile/entries/INDEX, in the spelling of C2SP tlog-tiles.", err)
		}
		raw, err := l.Tile(r.Context(), t)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.Itoa(len(raw)))
		h.Set("Cache-Control", forEver)
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(raw) // the peer may be gone
		return nil
	}
}
