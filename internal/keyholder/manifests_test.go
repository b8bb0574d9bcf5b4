package keyholder

import (
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/opening"
)

// Each line is a manifest that governance signed and that this holder must not
// follow all the same, whether or not it would loosen.
func TestHoldersRefuseAManifest(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	for name, c := range map[string]struct {
		change func(m *opening.Manifest)
		kind   fault.Kind
		want   string
	}{
		"a version left out":           {func(m *opening.Manifest) { m.Version = 3 }, fault.Forbidden, "does not follow"},
		"after another version":        {func(m *opening.Manifest) { m.Previous = opening.Hash{1} }, fault.Forbidden, "does not follow"},
		"another pool":                 {func(m *opening.Manifest) { m.Pool = "other" }, fault.Forbidden, "pool or epoch"},
		"another ceremony":             {func(m *opening.Manifest) { m.Transcript = opening.Hash{1} }, fault.Forbidden, "transcript"},
		"another of the same version":  {func(m *opening.Manifest) { m.Version, m.Previous, m.Issued = 1, opening.Hash{}, m.Issued+1 }, fault.Conflict, "another manifest of the same version"},
		"another, and version 2 after": {func(m *opening.Manifest) { m.Version, m.Previous, m.Issued = 1, opening.Hash{}, m.Issued+2 }, fault.Conflict, "another manifest of the same version"},
	} {
		m := w.manifest
		m.Version, m.Previous = 2, opening.Digest(w.signed.Body)
		c.change(&m)
		err := h.Manifest([]opening.SignedManifest{w.sign(m, "gov-1", "gov-2")})
		if fault.KindOf(err) != c.kind || !strings.Contains(fault.Sentence(err), c.want) || h.Status().Manifest != 1 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	m := w.manifest
	m.Version, m.Previous = 2, opening.Digest(w.signed.Body)
	if err := h.Manifest([]opening.SignedManifest{w.sign(m, "gov-1")}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("by one governor: %v", err)
	}
}

// Versions that come together are taken one after the other; the ones that are
// known change nothing.
func TestManifestsComeInAChain(t *testing.T) {
	w := newWorld(t)
	two := w.manifest
	two.Version, two.Previous = 2, opening.Digest(w.signed.Body)
	second := w.sign(two, "gov-1", "gov-2")
	three := two
	three.Version, three.Previous = 3, opening.Digest(second.Body)
	three.Members = slices.Clone(three.Members)
	three.Members[0].Status = opening.Suspended
	chain := []opening.SignedManifest{w.signed, second, w.sign(three, "gov-2", "gov-3")}
	for range 2 {
		must(t, w.holders[0].Manifest(chain))
		if w.holders[0].Status().Manifest != 3 {
			t.Fatalf("the holder is at version %d", w.holders[0].Status().Manifest)
		}
	}
}

// A holder that was not started for demonstrations follows none.
func TestADemonstrationIsRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := Open(Options{Dir: w.dirs[0], Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err == nil {
		t.Error("a holder for real pools opened what knows a demonstration")
	}
	w.holders[1].demo = false
	m := w.manifest
	m.Version, m.Previous = 2, opening.Digest(w.signed.Body)
	if err := w.holders[1].Manifest([]opening.SignedManifest{w.sign(m, "gov-1", "gov-2")}); fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Sentence(err), "demonstration") {
		t.Errorf("a demonstration's manifest: %v", err)
	}
	m.Demo, m.KeysEnd = false, start.AddDate(1, 0, 0).UnixMicro()
	must(t, w.holders[1].Manifest([]opening.SignedManifest{w.sign(m, "gov-1", "gov-2")}))
	must(t, w.holders[1].Close())
	h, err := Open(Options{Dir: w.dirs[1], Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(t, err)
	must(t, h.Close())
}
