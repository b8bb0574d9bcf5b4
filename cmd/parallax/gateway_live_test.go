package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"parallax/internal/gateway/law"
	"parallax/internal/gateway/law/lawtest"
	"parallax/internal/gateway/route"
)

// TestAServingHubTakesWhatCounselPublish: the files of a hub that serves are
// replaced, as an operator would, and the next answer is by the new version; files
// that counsel did not sign change nothing.
func TestAServingHubTakesWhatCounselPublish(t *testing.T) {
	s, _, _, _ := found(t)
	answer := func() (a route.Contract) {
		body := s.open("/api/v1/gateway/route?from=au.fsp&to=au.police&holds=transaction&wants=transaction&purpose=investigate&facts=reasonable_belief_enforcement&as_of=2026-11-23")
		s.must(json.Unmarshal([]byte(body), &a))
		return a
	}
	lay := func(files law.Files) {
		for name, f := range map[string]law.File{"overlay.yaml": files.Overlay, "published.json": files.Published} {
			s.save(s.path(name+".new"), string(f.Raw))
			s.must(os.Rename(s.path(name+".new"), s.path(name)))
		}
	}
	if a := answer(); !strings.HasSuffix(a.DataVersion, "+simulated.2") || !slices.Equal(a.Direct, []string{"AU-PRIV-APP62E"}) {
		t.Fatalf("%+v", a)
	}
	gone := map[string]func(*route.Gateway){"AU-PRIV-APP62E": nil}
	lay(lawtest.New(t).Publish("stranger.1", "2020-01-01", gone))
	s.until("the refusal", func() bool { return strings.Contains(s.open("/routes"), "The law data that lies ready is not in use") })
	if a := answer(); !strings.HasSuffix(a.DataVersion, "+simulated.2") {
		t.Errorf("other counsel's version is in use: %s", a.DataVersion)
	}
	lay(s.counsel.Publish("simulated.3", "2020-01-01", gone))
	s.until("the next version", func() bool { return strings.HasSuffix(answer().DataVersion, "+simulated.3") })
	if a := answer(); a.Answer == route.Yes || len(a.Direct) > 0 {
		t.Errorf("the row that is gone still answers: %+v", a)
	}
}

// open is what the hub serves to anybody at a path.
func (s *stage) open(path string) string {
	s.t.Helper()
	res, err := http.Get(s.hub + path)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	return string(body)
}
