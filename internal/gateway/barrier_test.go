package gateway

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

func block() Barrier {
	return Barrier{Title: "Banks may not warn banks", Systemic: 1, Laws: []string{"AU-AMLCTF-123P2P"}, Blocked: []string{"au.fsp"}, Unblock: "Parliament",
		Depends: "joint work on shared payees", State: BarrierOpen}
}

func TestRegisterIsSeededEditedAndUndone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		seed, err := law.Barriers()
		must(t, err)
		list, err := w.Barriers(ctx)
		must(t, err)
		if len(list) != len(seed) || len(seed) == 0 || !list[0].Seeded {
			t.Fatalf("%d of %d", len(list), len(seed))
		}
		w.restart(law.Files{})
		if again, _ := w.Barriers(ctx); len(again) != len(seed) {
			t.Error("the register was seeded twice")
		}
		k, err := w.RecordBarrier(ctx, analyst, block())
		must(t, err)
		b := k.Barrier
		b.Reform = "AML/CTF rules review"
		_, err = w.EditBarrier(ctx, analyst, 1, b)
		refused(t, "an analyst edits", err, fault.Forbidden)
		k, err = w.EditBarrier(ctx, officer, 1, b)
		must(t, err)
		_, err = w.EditBarrier(ctx, officer, 1, b)
		refused(t, "an old edit", err, fault.Conflict)
		k, err = w.UndoBarrier(ctx, officer, k.ID, k.Edit)
		must(t, err)
		if k.Reform != "" || k.Edit != 3 {
			t.Errorf("%+v", k)
		}
		k, err = w.RemoveBarrier(ctx, officer, k.ID, k.Edit)
		must(t, err)
		if list, _ := w.Barriers(ctx); len(list) != len(seed) {
			t.Error("a removed barrier is listed")
		}
		refused(t, "a case of a removed barrier", w.AddCase(ctx, analyst, Case{Barrier: k.ID, Why: WhyNoRoute, Origin: "a"}), fault.Conflict)
		k, err = w.UndoBarrier(ctx, officer, k.ID, k.Edit)
		must(t, err)
		if k.Removed {
			t.Error("undo does not bring it back")
		}
		_, edits, err := w.Barrier(ctx, k.ID)
		if err != nil || len(edits) != 5 || edits[0].Who != officer.ID {
			t.Errorf("%+v %v", edits, err)
		}
	})
}

// TestSmallCountsAreWithheld: neither page nor table nor order tells a count
// under the threshold, and one case counts once.
func TestSmallCountsAreWithheld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		k, err := w.RecordBarrier(ctx, analyst, block())
		must(t, err)
		before, _ := w.Barriers(ctx)
		for n := 1; n <= Threshold; n++ {
			for range 2 {
				must(t, w.AddCase(ctx, analyst, Case{Barrier: k.ID, Why: WhyCounsel, Days: 7, Origin: fmt.Sprint("answer ", n)}))
			}
			list, err := w.Barriers(ctx)
			must(t, err)
			got, _, err := w.Barrier(ctx, k.ID)
			must(t, err)
			raw, err := CSV(list)
			must(t, err)
			if n < Threshold {
				if !got.Cases().Withheld || !got.DaysLost().Withheld || !got.Why(WhyCounsel).Withheld || !strings.Contains(string(raw), "fewer than 5,fewer than 5") {
					t.Errorf("%d cases are given out: %s %s", n, got.Cases(), got.DaysLost())
				}
				for i := range list {
					if list[i].ID != before[i].ID {
						t.Fatalf("%d cases move the order", n)
					}
				}
				continue
			}
			if got.Cases().Count != 5 || got.DaysLost().Count != 35 || list[0].ID != k.ID {
				t.Errorf("%s %s, first %s", got.Cases(), got.DaysLost(), list[0].ID)
			}
		}
		refused(t, "no reason", w.AddCase(ctx, analyst, Case{Barrier: k.ID, Why: "x", Origin: "a"}), fault.Invalid)
		refused(t, "no barrier", w.AddCase(ctx, analyst, Case{Barrier: "BR-00", Why: WhyNoRoute, Origin: "a"}), fault.NotFound)
	})
}

func TestRegisterTravelsAsATable(t *testing.T) {
	w, ctx := newWorld(t, storetest.SQLite(t)), context.Background()
	b := block()
	b.Title, b.Elsewhere, b.Days = "=cmd()", 9, 90
	k, err := w.RecordBarrier(ctx, analyst, b)
	must(t, err)
	list, err := w.Barriers(ctx)
	must(t, err)
	raw, err := CSV(list)
	must(t, err)
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	must(t, err)
	if rows[1][1] != "'=cmd()" || rows[1][9] != "9" {
		t.Errorf("%q", rows[1])
	}
	n, err := w.ImportBarriers(ctx, officer, bytes.NewReader(raw))
	if err != nil || n != len(list) {
		t.Fatal(n, err)
	}
	got, _, err := w.Barrier(ctx, k.ID)
	must(t, err)
	if got.Title != "=cmd()" || got.Cases().Count != 9 || got.DaysLost().Count != 90 {
		t.Errorf("an export that comes back changes the row: %+v", got)
	}
	for name, c := range map[string]struct{ file, says string }{
		"no heading":       {"", "heading"},
		"unknown column":   {"id,title,systemic,state,colour\n", `"colour"`},
		"missing column":   {"id,title,state\n", `"systemic"`},
		"short row":        {"id,title,systemic,state\nX-1,a\n", "line 2"},
		"a wrong state":    {"id,title,systemic,state\nX-1,a,1,opne\n", "Line 2"},
		"a wrong number":   {"id,title,systemic,state\nX-1,a,9,open\n", "Line 2"},
		"an id twice":      {"id,title,systemic,state\nX-1,a,1,open\nX-1,b,1,open\n", "Line 3"},
		"a small count":    {"id,title,systemic,state,cases\nX-1,a,1,open,3\n", "at least 5"},
		"a case's details": {"id,title,systemic,state,detail\nX-1,a,1,open,see someone@mail-one.net\n", "detail of a case"},
	} {
		_, err := w.ImportBarriers(ctx, officer, strings.NewReader(c.file))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Sentence(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after, _ := w.Barriers(ctx)
	if len(after) != len(list) {
		t.Error("a refused file left rows")
	}
	_, err = w.ImportBarriers(ctx, analyst, bytes.NewReader(raw))
	refused(t, "an analyst imports", err, fault.Forbidden)
}
