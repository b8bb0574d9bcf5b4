package displace

import (
	"encoding/json"
	"math"
	"testing"

	"parallax/internal/shareddata"
)

func read(t *testing.T, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "displacement", name), v); err != nil {
		t.Fatal(err)
	}
}

// matches compares a result, by its JSON names, with the expected values.
func matches(t *testing.T, what string, got any, want map[string]float64) {
	t.Helper()
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var have map[string]any
	if err := json.Unmarshal(raw, &have); err != nil {
		t.Fatal(err)
	}
	for key, w := range want {
		v, ok := have[key].(float64)
		if !ok || math.Abs(v-w) > 1e-6*max(1, math.Abs(w)) {
			t.Errorf("%s: %s is %v, want %v", what, key, have[key], w)
		}
	}
}

func TestWDD(t *testing.T) {
	var doc struct {
		Cases []struct {
			Name     string
			Input    WDDInput
			Expected map[string]float64
		}
	}
	read(t, "wdd_examples.json", &doc)
	if len(doc.Cases) < 4 {
		t.Fatal("cases are missing")
	}
	for _, c := range doc.Cases {
		got, err := WDD(c.Input)
		if err != nil {
			t.Fatal(c.Name, err)
		}
		matches(t, c.Name, got, c.Expected)
	}
	wide, err := WDD(WDDInput{Control: Counts{308, 318}, Treated: Counts{207, 110}, Dispersion: 4})
	if err != nil || math.Abs(wide.LocalSE-2*30.70830507) > 1e-6 {
		t.Errorf("dispersion 4 does not double the error: %v (%v)", wide, err)
	}
	if _, err := WDD(WDDInput{Control: Counts{-1, 2}}); err == nil {
		t.Error("a negative count was accepted")
	}
}

func TestWDQ(t *testing.T) {
	var doc struct {
		Cases []struct {
			WDQInput
			Name     string
			Expected map[string]float64
		}
	}
	read(t, "wdq_examples.json", &doc)
	if len(doc.Cases) < 5 {
		t.Fatal("cases are missing")
	}
	for _, c := range doc.Cases {
		got, err := WDQ(c.WDQInput)
		if err != nil {
			t.Fatal(c.Name, err)
		}
		matches(t, c.Name, got, c.Expected)
		if got.Report != (c.Expected["success"] < 0) {
			t.Errorf("%s: report %v", c.Name, got.Report)
		}
	}
}

func TestMigrate(t *testing.T) {
	var in Flows
	read(t, "migration_matrix_example.json", &in)
	var doc struct{ Expected map[string]any }
	read(t, "migration_matrix_example.json", &doc)
	got, err := Migrate(in)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for k, v := range doc.Expected {
		if f, ok := v.(float64); ok {
			want[k] = f
		}
	}
	matches(t, "migration", got.Flat(), want)
	if got.DestinationShare["B"] != 0.75 || got.DestinationShare["C"] != 0.25 {
		t.Errorf("destinations %v", got.DestinationShare)
	}
	delete(in.Matrix, "B")
	delete(in.Matrix, "C")
	if _, err := Migrate(in); err == nil {
		t.Error("no control, and yet an excess")
	}
}

// Pearson's chi-squared over its degrees of freedom, by hand; never below 1.
func TestDispersion(t *testing.T) {
	for _, c := range []struct {
		name   string
		before [][]float64
		want   float64
	}{
		{"even", [][]float64{{4, 4, 4}}, 1},
		{"bursts", [][]float64{{0, 10, 0, 10}}, 20.0 / 3},
		{"two levels", [][]float64{{0, 10, 0, 10}, {100, 100}}, 20.0 / 4},
		{"nobody", [][]float64{{0, 0, 0}}, 1},
		{"one week", [][]float64{{7}}, 1},
		{"nothing", nil, 1},
	} {
		if got := Dispersion(c.before...); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}
