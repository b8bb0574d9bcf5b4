package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parallax/internal/desk"
	"parallax/selector"
)

// The clock of one program at a time jumps: of the hub, of a holder, of two, of
// a desk; by hours, by years, backwards. A submission then goes through or is
// refused in a sentence about time; once the clock is right again the same
// command goes through, everything is there once, and there is one log.
func TestJumpingClocksLoseNothing(t *testing.T) {
	t.Parallel()
	s := buildWith(t, &stage{budget: 20_000, apart: true})
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	set := func(id string, off time.Duration) {
		t.Helper()
		s.must(os.WriteFile(s.clockOf(id), fmt.Appendf(nil, "%d\n", int64(off.Seconds())), 0o600))
	}
	const day = 24 * time.Hour
	jumps := []struct {
		who []string
		off time.Duration
	}{
		{[]string{"hub"}, 3 * time.Hour}, {[]string{"hub"}, -3 * time.Hour}, {[]string{"hub"}, 4000 * day}, {[]string{"hub"}, -4000 * day},
		{[]string{"holder-1"}, 2 * day}, {[]string{"holder-2"}, -2 * day}, {[]string{"holder-1", "holder-3"}, 400 * day},
		{[]string{"bank-a"}, 30 * day}, {[]string{"bank-a"}, -30 * day},
	}
	seen, refused := s.checkpoint(nil), 0
	for n, j := range jumps {
		rows := "case,email,strength,kind\n"
		for i := range 20 {
			rows += fmt.Sprintf("c-%d-%d,person.%d@mail-one.net,2,report\n", n, i, n*20+i)
		}
		file := s.path(fmt.Sprintf("rows-%d.csv", n))
		s.save(file, rows)
		submit := append([]string{"desk", "submit", file, "--mapping", mapping, "--yes", "--basis", "basis-1"}, s.desk("bank-a")...)
		for _, id := range j.who {
			set(id, j.off)
		}
		if out, errs, err := s.try(submit...); err != nil {
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() > 2 || !strings.Contains(out+errs, "clocks differ") && !strings.Contains(out+errs, "key holders answered") {
				t.Errorf("%v off by %s: %v\n%s%s", j.who, j.off, err, out, errs)
			}
			refused++
		}
		seen = s.checkpoint(seen)
		for _, id := range j.who {
			set(id, 0)
		}
		s.do(submit...)
	}
	if refused == 0 {
		t.Error("no clock was far enough off to be noticed")
	}
	s.until("all proofs", func() bool {
		return len(strings.Fields(s.at("bank-a", "receipts", "--out", s.path("receipts")))) == len(jumps)
	})
	seen = s.checkpoint(seen)
	s.kill("hub")
	s.count(20*len(jumps), len(jumps))
	s.sameLog(seen)
	t.Logf("%d jumps, %d submissions refused meanwhile; %d observations in %d batches, each stored once", len(jumps), refused, 20*len(jumps), len(jumps))
}
