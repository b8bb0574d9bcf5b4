package keyholder

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/opening"
)

// A wider scope (one offence more, one subject role more) binds at a key holder
// 30 days after that holder first saw it, by its own clock and whoever says
// otherwise; a restart forgets nothing, and sending it again starts nothing
// anew. A narrower one binds at once.
func TestAWiderScopeWaitsAtEachHolder(t *testing.T) {
	for name, widen := range map[string]func(s *opening.Scope){
		"an offence": func(s *opening.Scope) { s.Offences = append(s.Offences, "another-offence") },
		"a role":     func(s *opening.Scope) { s.Roles = append(s.Roles, "another-role") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.manifest
			m.Version, m.Previous = 2, opening.Digest(w.signed.Body)
			m.Scope.Offences, m.Scope.Roles = slices.Clone(m.Scope.Offences), slices.Clone(m.Scope.Roles)
			widen(&m.Scope)
			wide := w.sign(m, "gov-1", "gov-2", "gov-3")
			send := func(i int) error { return w.holders[i].Manifest([]opening.SignedManifest{wide}) }
			refused := func(when string, i int) {
				t.Helper()
				if err := send(i); err == nil || !strings.Contains(fault.Sentence(err), "binds 30 days after") || w.holders[i].Status().Manifest != 1 {
					t.Errorf("%s, holder %d: %v, manifest %d in force", when, i+1, err, w.holders[i].Status().Manifest)
				}
			}
			refused("at once", 0)
			w.clock.Advance(opening.LooseningDelay / 2)
			refused("half way", 0)
			refused("seen here for the first time", 1)
			must(t, w.holders[0].Close())
			w.holders[0] = w.open(w.dirs[0])
			w.clock.Advance(opening.LooseningDelay/2 - time.Second)
			refused("a second before", 0)
			w.clock.Advance(time.Second)
			must(t, send(0))
			if got := w.holders[0].Status().Manifest; got != 2 {
				t.Errorf("after 30 days manifest %d is in force", got)
			}
			refused("which saw it later", 1)

			narrow := w.manifest
			narrow.Version, narrow.Previous = 3, opening.Digest(wide.Body)
			must(t, w.holders[0].Manifest([]opening.SignedManifest{w.sign(narrow, "gov-1", "gov-2")}))
		})
	}
}

// An opening under the wider scope's manifest is refused by the holder itself,
// with the hub cooperating: the bundle brings the manifest, and it does not bind.
func TestABundleBringsNoWiderScope(t *testing.T) {
	w := newWorld(t)
	m := w.manifest
	m.Version, m.Previous = 2, opening.Digest(w.signed.Body)
	m.Scope.Offences = append(slices.Clone(m.Scope.Offences), "another-offence")
	wide := w.sign(m, "gov-1", "gov-2", "gov-3")
	a := w.request(w.evidence(), 0, 1, 2)
	a.request.Manifest = 2
	w.assemble(a)
	a.bundle.Manifests = append(a.bundle.Manifests, wide)
	for i, h := range w.holders {
		if _, err := h.Open(a.bundle); err == nil || !strings.Contains(fault.Sentence(err), "binds 30 days after") || len(h.state.releases) > 0 || h.Status().Manifest != 1 {
			t.Errorf("holder %d: %v", i+1, err)
		}
	}
}
