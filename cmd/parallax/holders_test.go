//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"parallax/internal/desk"
	"parallax/internal/leads"
	"parallax/selector"
)

// Of three key holders any one may be away, dead or hanging: evaluation,
// cosigning and opening go on. With two away everything that needs them is
// refused in one sentence, nothing is half done, and it goes on when one is
// back.
func TestHoldersComeAndGo(t *testing.T) {
	t.Parallel()
	s := build(t)
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	submit := func(i int) []string {
		c := contributors[i]
		s.save(s.path(c.id+".csv"), c.file)
		return append([]string{"desk", "submit", s.path(c.id + ".csv"), "--mapping", mapping, "--yes", "--basis", "basis-1"}, s.desk(c.id)...)
	}
	s.kill("holder-1")
	s.do(submit(0)...)
	s.until("a proof that two holders cosigned", func() bool { return s.at("bank-a", "receipts", "--out", s.path("receipts")) != "" })

	s.kill("holder-2")
	s.refuse(1, "1 of 3 key holders answered, 2 are needed", submit(1)...)
	var st desk.Status
	s.decode(s.at("platform-a", "status", "--json"), &st)
	if st.Contributions != 0 || st.Unsent != 0 || st.Rows != 0 {
		t.Errorf("half done: %+v", st)
	}
	s.again("holder-2")
	if out := s.do(submit(1)...); !strings.Contains(out, "done: 1 observations") {
		t.Errorf("the same command with a holder back: %s", out)
	}
	s.kill("holder-3")
	s.again("holder-1")
	s.do(submit(2)...)
	s.until("a proof with another holder away", func() bool { return s.at("hotline-a", "receipts", "--out", s.path("receipts")) != "" })

	seen := s.checkpoint(nil)
	s.until("a tick more", func() bool { return len(s.checkpoint(seen)) > len(seen) }) // what is proven is now marked, too
	s.advance(2 * time.Hour)
	var in desk.Inbox
	s.until("a ready lead", func() bool { in = s.inbox("police"); return len(in.Leads) == 1 })
	id := strings.TrimSpace(s.at("police", "request", in.Leads[0].ID, "--purpose", "investigation", "--basis", "basis-1", "--reason", "an exercise"))
	s.at("police", "approve", id, "--reason", "an exercise")
	s.at("overseer", "approve", id, "--reason", "an exercise")
	s.until("the request in the log", func() bool { return s.state(id) == "logged" })

	s.again("holder-3")
	s.hang("holder-3") // it takes connections and never answers
	s.kill("holder-2")
	s.advance(6 * time.Hour)
	// The one that is left may have seen a longer log than a quorum witnessed; it
	// then waits for the others. Alone it opens nothing either way.
	s.until("two holders missed", func() bool {
		a := s.answers(id)
		return a[0] != "" && a[1] == leads.HolderUnreachable && a[2] == leads.HolderUnreachable
	})
	if got := s.state(id); got != "logged" {
		t.Errorf("with one of two holders needed the opening is %s", got)
	}
	s.refuse(1, "nothing has been released", append([]string{"desk", "open", id}, s.desk("police")...)...)

	s.again("holder-2")
	s.until("the release with holder-3 hanging", func() bool { return s.state(id) == "released" })
	lead := s.at("police", "open", id)
	for _, want := range []string{"A-17", "P-3", "H-9"} {
		if !strings.Contains(lead, want) {
			t.Errorf("the lead does not show %q:\n%s", want, lead)
		}
	}
}

// hang stops a server without ending it.
func (s *stage) hang(id string) {
	s.t.Helper()
	s.must(s.servers[id].cmd.Process.Signal(syscall.SIGSTOP))
}

// answers is what the key holders have said of an opening.
func (s *stage) answers(id string) (out [3]string) {
	s.t.Helper()
	for _, o := range s.inbox("police").Openings {
		for _, h := range o.Holders {
			if o.ID == id {
				out[h.Index-1] = h.State
			}
		}
	}
	return out
}
