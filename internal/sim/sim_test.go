package sim

import (
	"crypto/sha256"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/selector"
)

// digest is one hash over every file of a directory.
func digest(t *testing.T, dir string) [32]byte {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		h.Write([]byte(filepath.Base(path)))
		h.Write(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func write(t *testing.T, p Params) string {
	t.Helper()
	w, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := w.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b := write(t, DefaultParams(7, 400)), write(t, DefaultParams(7, 400))
	if digest(t, a) != digest(t, b) {
		t.Error("the same seed gave other bytes")
	}
	if digest(t, a) == digest(t, write(t, DefaultParams(8, 400))) {
		t.Error("another seed gave the same bytes")
	}
}

// TestCareers checks the published shape of paid events per payer.
func TestCareers(t *testing.T) {
	p, r := DefaultParams(1, 100), stream(1, 99, 0)
	counts := make([]int, 400_000)
	sum, more := 0.0, 0.0
	for i := range counts {
		counts[i] = p.career(r)
		sum += float64(counts[i])
		if counts[i] > 1 {
			more++
		}
	}
	sort.Ints(counts)
	n := len(counts)
	share := func(from, to int) float64 {
		s := 0.0
		for _, c := range counts[from:to] {
			s += float64(c)
		}
		return s / sum
	}
	for _, c := range []struct {
		name             string
		have, want, near float64
	}{
		{"mean", sum / float64(n), 10.6, 0.5},
		{"share of the top 3 %", share(n-n*3/100, n), 0.50, 0.03},
		{"share of the bottom 25 %", share(0, n/4), 0.024, 0.003},
		{"payers who pay more than once", more / float64(n), 0.62, 0.02},
	} {
		t.Logf("%s: %.4f", c.name, c.have)
		if math.Abs(c.have-c.want) > c.near {
			t.Errorf("%s is %.4f, want %.3f within %.3f", c.name, c.have, c.want, c.near)
		}
	}
}

// TestPopulation checks shares that the parameters promise.
func TestPopulation(t *testing.T) {
	p := DefaultParams(3, 10_000)
	w, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	n, have := float64(len(w.actors)), map[string]float64{}
	for _, a := range w.actors {
		have[a.Role]++
		have["aliases"] += float64(len(a.Aliases))
		if a.pays() {
			have["pays"]++
		}
		if a.Banks[0].Org == "bank-a" {
			have["bank-a"]++
		}
	}
	for name, want := range map[string]float64{RoleDownloader: 0.923, RoleCommunicating: 0.07, "pays": 0.15, "bank-a": 0.30, "aliases": 1.97} {
		if got := have[name] / n; math.Abs(got-want) > 0.02 {
			t.Errorf("%s: %.3f, want %.3f", name, got, want)
		}
	}
	reports, all := 0.0, 0.0
	for _, o := range sectorOrgs(SectorPlatform) {
		all += float64(len(w.Rows[o.ID]))
	}
	if reports = float64(len(w.Rows["platform-a"])) / all; reports < 0.45 || reports > 0.65 {
		t.Errorf("platform-a has %.2f of the platform cases, want about 0.6 before cases are merged", reports)
	}
}

// TestExportsRead checks that every own selector is one the library reads.
func TestExportsRead(t *testing.T) {
	p := DefaultParams(5, 2000)
	p.Typo = 0
	dir := write(t, p)
	d, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range Organisations() {
		for _, row := range d.Rows[o.ID] {
			for _, c := range columnsOf(o.Sector) {
				v := *c.cell(&row)
				if c.class == "" || v == "" {
					continue
				}
				if c.class == selector.Bank {
					v = row.BSB + " " + v
				}
				sels, err := selector.Normalise(c.class, v, selector.Hint{Country: country, Platform: platformHint(row, c.class)})
				if err != nil {
					t.Fatalf("%s %s: %s: %v", o.ID, row.Reference, c.name, err)
				}
				for _, s := range sels {
					if warning, stop := selector.Warn(s); stop && c.class != selector.IP {
						t.Errorf("%s %s: %s is stopped: %s", o.ID, row.Reference, c.name, warning.Code)
					}
				}
			}
		}
	}
}

// TestNeutral: exports and truth hold neutral words only.
func TestNeutral(t *testing.T) {
	dir := write(t, DefaultParams(11, 1000))
	banned := []string{"child", "minor", "abuse", "victim", "sex", "porn", "rape", "nude", "exploit", "customer\"", "buyer"}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		text := strings.ToLower(string(raw))
		for _, word := range banned {
			if strings.Contains(text, word) {
				t.Errorf("%s contains %q", filepath.Base(path), word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusesBadParams(t *testing.T) {
	for name, change := range map[string]func(*Params){
		"too few":    func(p *Params) { p.Actors = 1 },
		"too many":   func(p *Params) { p.Actors = MaxActors + 1 },
		"a share":    func(p *Params) { p.Reuse = 1.5 },
		"not a date": func(p *Params) { p.Start = "soon" },
		"numbers":    func(p *Params) { p.InnocentsPerActor = 100_000 },
		"items":      func(p *Params) { p.ItemZipf = 1 },
	} {
		p := DefaultParams(1, 100)
		change(&p)
		if _, err := New(p); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(t.TempDir()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("empty directory: %v", err)
	}
}
