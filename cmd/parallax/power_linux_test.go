package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/internal/desk"
	"parallax/internal/lossydisk"
	"parallax/selector"
)

// cuts is how often the power goes: 500 times in the long form.
func cuts() int {
	if os.Getenv("PARALLAX_SOAK") != "" {
		return 500
	}
	return 12
}

// The power of the hub, of a key holder or of all of them at once goes while
// desks contribute. Their disks lose what was not synced, sector by sector.
// Nothing that was acknowledged is lost or there twice, the log is the one that
// its witnesses saw, and every holder answers again. At times the power goes
// once more while they start.
func TestPowerCutsLoseNothing(t *testing.T) {
	t.Parallel()
	machines := []string{"hub", "holder-1", "holder-2", "holder-3"}
	disks, places := make(map[string]*lossydisk.Disk), make(map[string]string)
	for i, id := range machines {
		disks[id] = lossydisk.Mount(t, uint64(i+1))
		places[id] = disks[id].Dir()
	}
	s := buildWith(t, &stage{budget: 100_000_000, places: places})
	rows, batches, checkpoints := s.survive(cuts(), func(k int) {
		struck := machines
		if k%3 > 0 {
			struck = machines[k%4 : k%4+1]
		}
		cut := func() {
			for _, id := range struck {
				disks[id].Cut()
			}
			s.kill(struck...)
			for _, id := range struck {
				disks[id].Restore()
			}
		}
		cut()
		if k%4 == 3 {
			for _, id := range struck {
				s.servers[id].cmd = s.start(s.servers[id].args...)
			}
			<-time.After(time.Duration(k%16) * 10 * time.Millisecond)
			cut()
		}
		for _, id := range struck {
			s.again(id)
		}
	})
	if !t.Failed() {
		t.Logf("%d power cuts: %d observations in %d batches acknowledged and stored once; %d checkpoints of one log", cuts(), rows, batches, checkpoints)
	}
}

// The disk of the hub, then that of a holder, runs full. What needs it is
// refused and changes nothing; what was acknowledged can still be read and
// proved; with room again, the same submission goes through.
func TestAFullDiskRefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	disks := map[string]*lossydisk.Disk{"hub": lossydisk.Mount(t, 1), "holder-1": lossydisk.Mount(t, 2), "holder-2": lossydisk.Mount(t, 3)}
	places := make(map[string]string)
	for id, d := range disks {
		places[id] = d.Dir()
	}
	s := buildWith(t, &stage{budget: 20_000, places: places})
	mapping := s.write("mapping.json", desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind",
		Role: "=suspected_consumer", Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}})
	submit := func(id string, n int) []string {
		file := s.path(fmt.Sprintf("%s-%d.csv", id, n))
		rows := "case,email,strength,kind\n"
		for i := range 50 {
			rows += fmt.Sprintf("c-%d-%d,person.%d@mail-one.net,2,report\n", n, i, n*50+i)
		}
		s.save(file, rows)
		return append([]string{"desk", "submit", file, "--mapping", mapping, "--yes", "--basis", "basis-1"}, s.desk(id)...)
	}
	s.do(submit("bank-a", 0)...)
	s.until("the first proof", func() bool { return s.at("bank-a", "receipts", "--out", s.path("receipts")) != "" })
	seen := s.checkpoint(nil)

	// Almost full: no contributions, and everything else goes on.
	disks["hub"].Fill(8 << 20)
	s.refuse(1, "almost full", submit("bank-a", 1)...)
	if out := s.at("bank-a", "receipts", "--out", s.path("receipts-full")); len(strings.Fields(out)) != 1 {
		t.Errorf("with an almost full disk the hub does not prove what it holds: %s", out)
	}
	s.until("the log to grow on an almost full disk", func() bool { return len(s.checkpoint(seen)) > len(seen) })
	// Full to the last byte: what is public can be read.
	disks["hub"].Fill(0)
	s.refuse(1, "", submit("bank-a", 1)...)
	s.checkpoint(seen)
	disks["hub"].Empty()
	s.do(submit("bank-a", 1)...)

	// Two of three holders are needed: one full disk changes nothing, two do.
	disks["holder-1"].Fill(0)
	s.do(submit("bank-a", 2)...)
	disks["holder-2"].Fill(0)
	s.refuse(1, "", submit("bank-a", 3)...)
	disks["holder-1"].Empty()
	disks["holder-2"].Empty()
	s.do(submit("bank-a", 3)...)
	s.until("all proofs", func() bool {
		return len(strings.Fields(s.at("bank-a", "receipts", "--out", s.path("receipts-all")))) == 4
	})
	s.kill("hub")
	s.database = s.path("hub-copy.db")
	raw, err := os.ReadFile(filepath.Join(disks["hub"].Dir(), "hub.db"))
	s.must(err)
	s.save(s.database, string(raw))
	if wal, err := os.ReadFile(filepath.Join(disks["hub"].Dir(), "hub.db-wal")); err == nil {
		s.save(s.database+"-wal", string(wal))
	}
	s.count(200, 4)
}
