package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/opening"
)

// TestJointFindsMore reports the figures on five seeds and expects the pool to
// add to what the single organisations find.
func TestJointFindsMore(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		w, err := New(DefaultParams(seed, 10_000))
		if err != nil {
			t.Fatal(err)
		}
		s := w.Score()
		t.Logf("%+v", s)
		if s.Recall.Joint <= s.Recall.Union {
			t.Errorf("seed %d: joint %.4f is not above the union %.4f", seed, s.Recall.Joint, s.Recall.Union)
		}
	}
}

func TestFilesScoreAsTheWorld(t *testing.T) {
	p := DefaultParams(2, 1000)
	w, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ScoreDir(write(t, p))
	if err != nil {
		t.Fatal(err)
	}
	var have, want strings.Builder
	s.Text(&have)
	w.Score().Text(&want)
	if have.String() != want.String() {
		t.Errorf("from files:\n%s\nfrom the world:\n%s", have.String(), want.String())
	}
}

func data(t *testing.T, p Params) *Data {
	t.Helper()
	d, err := Load(write(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ready gives the subjects of whom something opens under the default rule.
func ready(d *Data) map[string]bool {
	p := newPool(entriesOf(d))
	return p.subjects(p.open(opening.DefaultRule()))
}

func TestPlantedLeadClosesOnWithdrawal(t *testing.T) {
	d := data(t, DefaultParams(1, 400))
	if !ready(d)["planted-000001"] {
		t.Fatal("the planted lead is not ready")
	}
	if len(d.Truth.Withdraw) != 1 {
		t.Fatalf("withdrawals: %+v", d.Truth.Withdraw)
	}
	take := d.Truth.Withdraw[0]
	rows := d.Rows[take.Organisation]
	d.Rows[take.Organisation] = slices.DeleteFunc(rows, func(r Row) bool { return r.Reference == take.Reference })
	if ready(d)["planted-000001"] {
		t.Error("the lead is still ready without the withdrawn row")
	}
	if all := subjectsOf(entriesOf(d)); newTally(d.Truth).falsePerMillion(map[string]bool{"planted-000001": true}) != 0 || !all["planted-000001"] {
		t.Error("the planted lead must be in the exports and never be scored")
	}
}

// TestWrongLinksAreCounted: where every phone is shared and people are noticed
// often, the scorer must see false leads; it does not hide them.
func TestWrongLinksAreCounted(t *testing.T) {
	p := DefaultParams(4, 2000)
	p.SharedPhone, p.HazardScale = 1, 16
	if s := data(t, p).Score(); s.FalseLeadsPerMillion == 0 {
		t.Error("no false leads although every phone is shared")
	}
	p.SharedPhone, p.Recycled, p.PlantFalse = 0, 0, false
	if s := data(t, p).Score(); s.FalseLeadsPerMillion != 0 {
		t.Errorf("%.1f false leads per million without any shared number", s.FalseLeadsPerMillion)
	}
}

// TestReuseCarriesTheLinks: what cannot be linked does not open.
func TestReuseCarriesTheLinks(t *testing.T) {
	recall := make([]float64, 0, 3)
	for _, reuse := range []float64{0.1, 0.5, 0.9} {
		p := DefaultParams(6, 2000)
		p.Reuse, p.HazardScale = reuse, 16
		recall = append(recall, data(t, p).Score().Recall.Pool)
	}
	if !(recall[0] < recall[1] && recall[1] < recall[2]) {
		t.Errorf("pool recall %v does not grow with reuse", recall)
	}
}

// TestClosedRowsStayOut: what the law keeps out adds nothing to the pool.
func TestClosedRowsStayOut(t *testing.T) {
	p := DefaultParams(6, 1000)
	d := data(t, p)
	closed := len(d.Rows["platform-e"]) + len(d.Rows["platform-f"])
	rows := 0
	for _, r := range d.Rows {
		rows += len(r)
	}
	if s := d.Score(); closed == 0 || s.Observations != rows-closed {
		t.Errorf("%d observations of %d rows with %d closed", s.Observations, rows, closed)
	}
}

func TestScoreRefusesMixedWorlds(t *testing.T) {
	dir := write(t, DefaultParams(1, 100))
	other := write(t, DefaultParams(2, 3000))
	raw, err := os.ReadFile(filepath.Join(other, "police.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "police.csv"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ScoreDir(dir); fault.KindOf(err) != fault.Invalid {
		t.Errorf("mixed worlds: %v", err)
	}
}

func entriesOf(d *Data) []entry {
	all, _, _ := d.entries()
	return all
}
