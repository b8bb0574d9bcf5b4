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
	see := func(w *world, name string, role demoRole, path string, options ...browsertest.Option) {
		if as := roles[role]; as != "" {
			options = append(options, browsertest.Cookie(w.cookie(as)))
		}
		t.Run(name, func(t *testing.T) { browser.Audit(t, w.url+path, append(options, browsertest.Shot("hub-"+name))...) })
	}
	empty := newWorldWith(t, storetest.SQLite(t), demoConsole)
	see(empty, "start-empty", public, "/")
	see(empty, "log-empty", public, "/log")
	see(empty, "today-empty", authority, "/")
	see(empty, "openings-empty", authority, "/openings")
	see(empty, "contribute-empty", contributor, "/contribute")
	see(empty, "corrections-empty", authority, "/corrections")

	full := openedWorld(t)
	full.contribute("bank-a", "last@example.org", "payment", nil)
	full.clock.Advance(time.Minute)
	see(full.world, "start", public, "/")
	see(full.world, "keys", public, "/keys")
	see(full.world, "log", public, "/log")
	see(full.world, "demo", public, "/demo")
	see(full.world, "today-authority", authority, "/")
	see(full.world, "today-auditor", auditor, "/")
	see(full.world, "contribute", contributor, "/contribute")
	see(full.world, "openings", oversight, "/openings")
	see(full.world, "lead-ready", authority, "/leads/"+full.ready.ID)
	see(full.world, "lead-child", oversight, "/leads/"+full.asked.ID)
	see(full.world, "corrections", oversight, "/corrections")
	see(full.world, "refused", contributor, "/openings", browsertest.Status(http.StatusForbidden))
}
