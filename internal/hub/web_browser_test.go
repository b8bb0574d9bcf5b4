package hub

import (
	"net/http"
	"testing"
	"time"

	"parallax/internal/browsertest"
	"parallax/internal/store/storetest"
)

// Every page, empty and full, through the eyes of those who may see it.
func TestPagesInABrowser(t *testing.T) {
	browser := browsertest.Open(t)
	see := func(w *world, name string, role Role, path string, options ...browsertest.Option) {
		if as := roles[role]; as != "" {
			options = append(options, browsertest.Cookie(w.cookie(as)))
		}
		t.Run(name, func(t *testing.T) { browser.Audit(t, w.url+path, append(options, browsertest.Shot("hub-"+name))...) })
	}
	empty := newWorldWith(t, storetest.SQLite(t), demoConsole)
	see(empty, "start-empty", Public, "/")
	see(empty, "log-empty", Public, "/log")
	see(empty, "today-empty", Authority, "/")
	see(empty, "openings-empty", Authority, "/openings")
	see(empty, "contribute-empty", Contributor, "/contribute")

	full := openedWorld(t)
	full.contribute("bank-a", "last@example.org", "payment", nil)
	full.clock.Advance(time.Minute)
	see(full.world, "start", Public, "/")
	see(full.world, "keys", Public, "/keys")
	see(full.world, "log", Public, "/log")
	see(full.world, "demo", Public, "/demo")
	see(full.world, "today-authority", Authority, "/")
	see(full.world, "today-auditor", Auditor, "/")
	see(full.world, "contribute", Contributor, "/contribute")
	see(full.world, "openings", Oversight, "/openings")
	see(full.world, "lead-ready", Authority, "/leads/"+full.ready.ID)
	see(full.world, "lead-child", Oversight, "/leads/"+full.asked.ID)
	see(full.world, "refused", Contributor, "/openings", browsertest.Status(http.StatusForbidden))
}
