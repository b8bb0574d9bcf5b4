package sim

import "testing"

// What the scorer's own groups open scores as the scorer says.
func TestScoreOpenedAgreesWithTheScorer(t *testing.T) {
	p := DefaultParams(7, 1500)
	p.HazardScale = 4
	w, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := w.Write(dir); err != nil {
		t.Fatal(err)
	}
	d, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, groups := d.Score(), d.Leads()
	if len(groups) != want.LeadsReady || len(groups) < 3 {
		t.Fatalf("%d groups, the scorer has %d leads", len(groups), want.LeadsReady)
	}
	var all []Ref
	for _, g := range groups {
		all = append(all, g...)
	}
	got, err := d.ScoreOpened(all)
	if err != nil {
		t.Fatal(err)
	}
	if got != (Opened{want.Recall.Pool, want.Recall.Joint, want.FalseLeadsPerMillion}) {
		t.Errorf("opened rows score %+v, the scorer says %+v", got, want.Recall)
	}
	none, err := d.ScoreOpened(nil)
	if err != nil || none.Pool != 0 || none.Joint != want.Recall.Union {
		t.Errorf("nothing opened: %+v, %v; the union is %g", none, err, want.Recall.Union)
	}
	if _, err := d.ScoreOpened([]Ref{{"bank-a", "SIM-OTHER-1"}}); err == nil {
		t.Error("a row that the truth does not know was scored")
	}
}
