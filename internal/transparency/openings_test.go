package transparency

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

// An auditor's openings fit the commitments, fillers open to nothing, and a
// place can be proven without opening it. A desk's line is kept under a
// checkpoint that the quorum signed, once, and from no other key.
func TestOpeningsAndDesks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		ticket := add(t, db, l, "a batch")
		if err := l.Note(t.Context(), "read", []byte("a read")); err != nil {
			t.Fatal(err)
		}
		if err := l.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		opened, err := l.Openings(t.Context(), 0, 9)
		if err != nil || len(opened) != 4 {
			t.Fatalf("%d entries, %v", len(opened), err)
		}
		entries, err := l.Entries(t.Context(), 4, 4)
		if err != nil {
			t.Fatal(err)
		}
		full, mine := 0, -1
		for i, x := range opened {
			if tlog.Commit(x.Opening.Nonce, x.Opening.Record) != entries[3-i].Commitment {
				t.Errorf("entry %d does not open", i)
			}
			if len(x.Opening.Record) > 0 {
				full++
			}
			if x.Ticket == ticket.ID {
				mine = i
			}
		}
		if full != 2 || mine < 0 {
			t.Errorf("%d entries hold a record; the batch is entry %d", full, mine)
		}
		desk := []tlog.WitnessKey{{Name: "desk", Key: key("d").Public().(ed25519.PublicKey)}}
		cp := head(t, l)
		line := tlog.Cosign(cp, "desk", key("d"), time.Unix(1, 0))
		if err := l.AddDesk(t.Context(), desk, 4, line); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a desk signs before the quorum: %v", err)
		}
		if err := l.CollectCosignatures(t.Context(), []Witness{&witness{name: "a", key: key("a")}, &witness{name: "b", key: key("b")}}); err != nil {
			t.Fatal(err)
		}
		later := tlog.Cosign(cp, "desk", key("d"), time.Unix(2, 0))
		for _, x := range [][]byte{line, later} {
			if err := l.AddDesk(t.Context(), desk, 4, x); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.AddDesk(t.Context(), desk, 4, tlog.Cosign(cp, "desk", key("e"), time.Unix(1, 0))); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("another key: %v", err)
		}
		_, note, err := l.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, by, err := tlog.VerifyNote(note, origin, key("l").Public().(ed25519.PublicKey), desk, 1)
		if err != nil || len(by) != 1 || by[0].Time.Unix() != 1 {
			t.Errorf("%+v, %v", by, err)
		}
		p, err := l.Inclusion(t.Context(), int64(mine), 4)
		if err = errors.Join(err, p.Verify(ticket.Commitment, cp.Root)); err != nil {
			t.Errorf("the place of an entry: %v", err)
		}
	})
}

func head(t *testing.T, l *Log) tlog.Checkpoint {
	t.Helper()
	root, err := l.rootAt(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.Checkpoint{Origin: origin, Size: 4, Root: root}
}
