package selector

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vectorFile is one file of testdata/vectors; docs/design/selectors.md
// describes it for other implementations.
type vectorFile struct {
	Class Class    `json:"class"`
	Rule  int      `json:"rule"`
	About string   `json:"about"`
	Cases []vector `json:"cases"`
}

// vector is one input and what must become of it: either Forms, with the
// warnings that stop some of them, or Refuse.
type vector struct {
	In        string            `json:"in"`
	InHex     string            `json:"in_hex"` // instead of In, for what is not UTF-8
	Country   string            `json:"country"`
	Platform  string            `json:"platform"`
	Algorithm string            `json:"algorithm"`
	Forms     map[string]string `json:"forms"`
	Warn      map[string]string `json:"warn"` // form to warning code
	Refuse    string            `json:"refuse"`
	Note      string            `json:"note"` // why, and from where the wanted value comes
}

func (v vector) raw(t testing.TB) string {
	b, err := hex.DecodeString(v.InHex)
	if err != nil {
		t.Fatal(err)
	}
	return v.In + string(b)
}

func readVectors(t testing.TB, c Class) vectorFile {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "vectors", string(c)+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	var out vectorFile
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	if out.Class != c || out.Rule != c.RuleVersion() {
		t.Fatalf("%s: vectors are for %s rule %d, the code has rule %d: a change of rules needs new vectors", c, out.Class, out.Rule, c.RuleVersion())
	}
	return out
}

// TestVectors runs every golden vector and counts them.
func TestVectors(t *testing.T) {
	refused, warned := map[string]bool{"unknown-class": true}, map[string]bool{}
	for _, c := range Classes() {
		t.Run(string(c), func(t *testing.T) {
			file, forms, seen := readVectors(t, c), map[string]int{}, map[string]bool{}
			for _, v := range file.Cases {
				refused[v.Refuse] = true
				for _, w := range v.Warn {
					warned[w] = true
				}
				for f := range v.Forms {
					forms[f]++
				}
				key := v.In + "|" + v.InHex + "|" + v.Country + "|" + v.Platform + "|" + v.Algorithm
				if v.Note == "" || seen[key] || (v.Refuse == "") == (len(v.Forms) == 0) {
					t.Errorf("%q: a vector needs a note, one outcome and an input of its own", v.In+v.InHex)
				}
				seen[key] = true
				v.run(t, c)
			}
			if len(file.Cases) < 100 {
				t.Errorf("%d vectors, want at least 100", len(file.Cases))
			}
			for form, least := range map[string]int{"bsb": 100, "iban": 100} {
				if n, ok := forms[form]; ok && n < least {
					t.Errorf("%d vectors give form %s, want at least %d", n, form, least)
				}
			}
		})
	}
	for _, code := range problemCodes(t) {
		if !refused[code] {
			t.Errorf("no vector is refused with %s", code)
		}
	}
	for code := range sentences {
		if !warned[code] {
			t.Errorf("no vector is stopped with %s", code)
		}
	}
}

func (v vector) run(t *testing.T, c Class) {
	t.Helper()
	got, err := Normalise(c, v.raw(t), Hint{Country: v.Country, Platform: v.Platform, Algorithm: v.Algorithm})
	var p *Problem
	if errors.As(err, &p) {
		if p.Code != v.Refuse {
			t.Errorf("%q (%s): refused with %s, want %s %v", v.In+v.InHex, v.Note, p.Code, v.Refuse, v.Forms)
		}
		return
	}
	forms, warn := map[string]string{}, map[string]string{}
	for _, s := range got {
		forms[s.Form] = s.Value
		if w, stop := Warn(s); stop {
			warn[s.Form] = w.Code
		}
		stable(t, s)
	}
	if v.Refuse != "" || !maps.Equal(forms, v.Forms) {
		t.Errorf("%q (%s): got %v, want %v %s", v.In+v.InHex, v.Note, forms, v.Forms, v.Refuse)
	} else if !maps.Equal(warn, v.Warn) {
		t.Errorf("%q (%s): warnings %v, want %v", v.In+v.InHex, v.Note, warn, v.Warn)
	}
}

var problemCall = regexp.MustCompile(`problem\("([a-z-]+)"`)

// problemCodes reads every refusal code out of the package's own source.
func problemCodes(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range problemCall.FindAllStringSubmatch(string(src), -1) {
			if !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
	}
	if len(out) < 20 {
		t.Fatalf("found only the codes %v", out)
	}
	return out
}
