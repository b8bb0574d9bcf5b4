package estimate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"parallax/internal/shareddata"
)

// load reads one published table.
func load(t testing.TB, name string) Table {
	t.Helper()
	tab, err := ReadCSV(bytes.NewReader(shareddata.Read(t, "statistics", "mse", name+".csv")))
	if err != nil {
		t.Fatal(name, err)
	}
	return tab
}

// reference is one row of the file of reference values.
type reference struct {
	table, method, settings, model string
	estimate, lower, upper         float64
}

// references gives the reference rows whose method has a prefix.
func references(t testing.TB, method string) (out []reference) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(shareddata.Read(t, "statistics", "mse", "reference.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	num := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN()
		}
		return v
	}
	for _, r := range rows[1:] {
		if strings.HasPrefix(r[1], method) {
			out = append(out, reference{r[0], r[1], r[2], r[3], num(r[4]), num(r[5]), num(r[6])})
		}
	}
	if len(out) == 0 {
		t.Fatalf("no reference rows for %s", method)
	}
	return out
}

// setting reads name=value out of a reference's settings.
func (r reference) setting(name string) float64 {
	_, rest, ok := strings.Cut(r.settings, name+"=")
	if !ok {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(strings.FieldsFunc(rest, func(c rune) bool { return c == ' ' || c == ';' || c == '%' })[0], 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// near fails unless got is within a relative tolerance of want; a reference
// that is absent (NaN) asks nothing.
func near(t testing.TB, what string, got, want, rel float64) {
	t.Helper()
	if math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= rel*math.Abs(want)) {
		t.Errorf("%s: got %.8g, want %.8g within %g", what, got, want, rel)
	}
}

func TestExistenceCodes(t *testing.T) {
	tab := load(t, "artificial3")
	models := []Model{{}, {3}, {5}, {6}, {3, 5}, {3, 6}, {5, 6}, {3, 5, 6}}
	var doc struct{ Cases []struct{ Status int } }
	if err := json.Unmarshal(shareddata.Read(t, "statistics", "mse", "extended_mle_checks.json"), &doc); err != nil {
		t.Fatal(err)
	}
	for i, m := range models {
		if got := Check(tab, m); int(got) != doc.Cases[i].Status {
			t.Errorf("%s: status %d, want %d", m.name(3), got, doc.Cases[i].Status)
		}
	}
}

func TestMainEffects(t *testing.T) {
	for _, r := range references(t, "loglinear_main") {
		if r.method != "loglinear_main" {
			continue
		}
		tab := load(t, r.table)
		fit, err := Main(tab)
		if err != nil {
			t.Fatal(r.table, err)
		}
		low, high := fit.Interval(float64(tab.N()), z95)
		near(t, r.table, fit.N, r.estimate, 1e-5)
		near(t, r.table+" low", low, r.lower, glmSE)
		near(t, r.table+" high", high, r.upper, glmSE)
		near(t, r.table+" AIC", fit.AIC, r.setting("AIC"), 1e-5)
		near(t, r.table+" deviance", fit.Deviance, r.setting("dev"), 1e-5)
		near(t, r.table+" df", float64(fit.DF), r.setting("df"), 0)
	}
}

func TestStepwise(t *testing.T) {
	for _, r := range references(t, "sparse_stepwise") {
		if r.method != "sparse_stepwise" {
			continue
		}
		tab := load(t, r.table)
		fit, err := Stepwise(tab, StepwiseP)
		if err != nil {
			t.Fatal(r.table, err)
		}
		low, high := fit.Interval(float64(tab.N()), z95)
		near(t, r.table, fit.N, r.estimate, 1e-6)
		near(t, r.table+" low", low, r.lower, glmSE)
		near(t, r.table+" high", high, r.upper, glmSE)
		near(t, r.table+" AIC", fit.AIC, r.setting("AIC"), 1e-5)
		near(t, r.table+" df", float64(fit.DF), r.setting("df"), 0)
	}
	for _, r := range references(t, "mse_stepwise_p02") {
		tab := load(t, r.table)
		fit, err := Stepwise(tab, StepwiseP)
		if err != nil {
			t.Fatal(r.table, err)
		}
		near(t, r.table, fit.N, r.estimate, 1e-6)
		near(t, r.table+" BIC", fit.BIC, r.setting("BIC"), 1e-5)
		if got := fit.Model.name(tab.K()); got != r.model {
			t.Errorf("%s: model %s, want %s", r.table, got, r.model)
		}
	}
}

func BenchmarkStepwise(b *testing.B) {
	for _, name := range []string{"uk5", "kosovo4", "neworl8"} {
		tab := load(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Stepwise(tab, StepwiseP); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// glmSE is how far limits may lie from the reference: R takes the standard
// error from the iteration before the last, this package from the last.
const glmSE = 5e-5
