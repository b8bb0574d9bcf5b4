package hub

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store/storetest"
	"parallax/opening"
)

// Where the authority's read log stands is in the hub's log; nobody else's is
// taken, and an auditor finds a read log that lost lines.
func TestReadLogsAreAnchored(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	send := func(who string, n int, end byte) error {
		return w.call(who, client.PathReads, client.ReadsHead{Count: n, Head: opening.Hash{end}}, nil)
	}
	for _, who := range []string{"bank-a", "overseer", "auditor", "stranger", "gov-1"} {
		if err := send(who, 1, 1); status(err) != http.StatusForbidden {
			t.Errorf("%s has no read log: %v", who, err)
		}
	}
	if err := send("officer", 0, 1); status(err) != http.StatusUnprocessableEntity && status(err) != http.StatusBadRequest {
		t.Errorf("a head of nothing: %v", err)
	}
	for n := 1; n <= 4; n++ {
		must(t, send("officer", n, byte(n)))
		w.clock.Advance(time.Second)
	}
	must(t, send("officer", 4, 4)) // again, since the answer was lost
	w.tick(time.Minute)
	r, err := w.groups()
	if err != nil || r.Grouping.Reads["officer"] != 4 || r.Grouping.ByType["reads-head"] != 5 {
		t.Fatalf("%+v, %v", r.Grouping, err)
	}
	for name, h := range map[string]client.ReadsHead{"fewer lines": {Count: 3, Head: opening.Hash{3}}, "as many, other ones": {Count: 4, Head: opening.Hash{9}}} {
		w := newWorld(t, storetest.SQLite(t))
		must(t, w.call("officer", client.PathReads, client.ReadsHead{Count: 4, Head: opening.Hash{4}}, nil))
		w.clock.Advance(time.Second)
		must(t, w.call("officer", client.PathReads, h, nil))
		w.tick(time.Minute)
		if _, err := w.groups(); err == nil || !strings.Contains(err.Error(), "read log of officer had 4 lines") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
