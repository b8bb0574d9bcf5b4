package law

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

func TestBuiltInDataHasNoErrors(t *testing.T) {
	found, err := Lint(BuiltInName, BuiltInText())
	if err != nil {
		t.Fatal(err)
	}
	never := false
	for _, f := range found {
		if f.Level == LevelError {
			t.Error(f)
		}
		never = never || f.ID == "UK-OSA-66-2025" && strings.Contains(f.Text, "never in force") && f.Line > 1000
	}
	if !never {
		t.Errorf("the row that was never in force is not reported with its line")
	}
	s, err := BuiltIn()
	if err != nil || len(s.Gateways) != 72 || len(s.Prohibitions) != 10 || !strings.Contains(s.Meta.Review, "needs review by counsel") {
		t.Errorf("%d rows, %d prohibitions, %q, %v", len(s.Gateways), len(s.Prohibitions), s.Meta.Review, err)
	}
}

func TestLintFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, old, new, id, says string }{
		{"unknown actor", "from: [au.carrier]\n  to: [au.police]\n  accepts: [comms_content", "from: [au.carier]\n  to: [au.police]\n  accepts: [comms_content", "AU-TIA-116", "au.carrier"},
		{"unknown fact", "needs: [warrant, serious_contravention]", "needs: [warant]", "AU-TIA-116", "warrant"},
		{"unknown mode", "mode: mandatory\n  status: in_force\n  valid_from: \"2008-12-12\"", "mode: mandatry\n  status: in_force\n  valid_from: \"2008-12-12\"", "AU-AMLCTF-41", "mandatory"},
		{"bad date", `"2008-12-12"`, `"2008-13-12"`, "AU-AMLCTF-41", "not a date"},
		{"lapsed for ever", "  valid_to: \"2026-04-03\"\n", "", "EU-2021-1232", "for ever"},
		{"in force and ended", "valid_from: \"2024-05-07\"", "valid_from: \"2024-05-07\"\n  valid_to: \"2025-01-01\"", "US-2258A", "ended 2025-01-01"},
		{"no source", `sources: ["austlii consolidated AML/CTF Act s 41", "AUSTRAC 'Reporting to AUSTRAC (Reform)'"]`, "sources: []", "AU-AMLCTF-41", "names no source"},
		{"a pair that is none", "pairs_with: AU-IPO", "pairs_with: AU-IOP", "AU-US-PRES", "AU-IOP"},
		{"states differ", "from_in: [AU-NSW]", "from_in: [AU-NSW, AU-ACT]", "AU-NSW-16A", "same states"},
		{"needs and unless", "unless: [reported_ncmec_instead]", "unless: [aware_cam]", "UK-OSA-66", "never be used"},
		{"a prohibition that never warns", "  kind: input_rule   # about what may enter the software, so it has no applies\n", "", "P-AU-CAM", "never warns"},
		{"commenced meanwhile", `valid_from: "2027-07-10"`, `valid_from: "2026-07-10"`, "EU-AMLR-75", "has passed"},
		{"nothing accepted", "accepts: [hash, url, account_id, subscriber, comms_content]\n  yields: [hash, url, account_id, subscriber, comms_content]\n  purposes: [detect, protect_child, disrupt]\n  needs: [derogation_in_force]\n  conditions: \"Expired", "accepts: []\n  yields: [hash]\n  purposes: [detect]\n  needs: [derogation_in_force]\n  conditions: \"Expired", "EU-2021-1232", "accepts is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(string(BuiltInText()), c.old, c.new, 1)
			if text == string(BuiltInText()) {
				t.Fatal("the example changes nothing")
			}
			found, err := Lint("x.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.ID == c.id && strings.Contains(f.Text, c.says) && f.Line > 0 {
					return
				}
			}
			t.Errorf("nothing about %s says %q: %v", c.id, c.says, found)
		})
	}
}

func TestStrictFilesNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, old, new, says string }{
		{"unknown key", "  citation: \"18 U.S.C. 2258C\"", "  citaton: \"18 U.S.C. 2258C\"", `key "citaton"`},
		{"doubled id", "- id: US-2258C\n", "- id: US-2258A\n", `"US-2258A" is given twice`},
		{"schema", "schema_version: 1", "schema_version: 7", "this program reads 1"},
	} {
		_, err := Read("x.yaml", []byte(strings.Replace(string(BuiltInText()), c.old, c.new, 1)))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Sentence(err), c.says) || c.name != "schema" && !strings.Contains(fault.Sentence(err), "line ") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSetSurvivesItsOwnText(t *testing.T) {
	s, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read("again.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := again.Text()
	if err != nil || !bytes.Equal(text, twice) || len(again.Gateways) != len(s.Gateways) {
		t.Error("a data set that is written and read is another one", err)
	}
}

const overlay = `meta: {title: Example Bank, schema_version: 1, overlays: "2026-11-23.2", data_version: "bank.1", review_status: "simulated"}
replaces: [AU-POOL-AGENT]
gateways:
- id: AU-POOL-AGENT
  jurisdiction: [AU]
  citation: "written agency of 1 November 2026 (simulated)"
  title: "Blinded submission to an authority's technical agent"
  kind: disclosure
  mode: permissive
  status: in_force
  valid_from: "2026-11-01"
  valid_to: "2027-10-31"
  from: [au.fsp]
  to: [plx.pool]
  accepts: [token]
  yields: [token]
  purposes: [detect]
  needs: [reasonable_belief_enforcement, pool_agent]
  confidence: medium
  basis: [memory]
  sources: []
`

func TestOverlayTurnsAQuestionIntoAnAnswer(t *testing.T) {
	s, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	o, err := ReadOverlay("bank.yaml", []byte(overlay))
	if err != nil {
		t.Fatal(err)
	}
	with, err := s.With(o)
	if err != nil {
		t.Fatal(err)
	}
	q := route.Question{From: "au.fsp", To: "plx.pool", Holds: []string{"token"}, Wants: "token", Purpose: "detect", AsOf: "2026-11-23",
		Facts: []string{"reasonable_belief_enforcement", "pool_agent"}}
	for _, c := range []struct {
		set  Set
		day  string
		want string
	}{{s, "2026-11-23", route.AskCounsel}, {with, "2026-11-23", route.Yes}, {with, "2026-10-31", route.No}, {with, "2027-11-01", route.No}} {
		f, err := c.set.Finder()
		if err != nil {
			t.Fatal(err)
		}
		q.AsOf = c.day
		if a, err := f.Find(q); err != nil || a.Answer != c.want {
			t.Errorf("%s on %s: %s %v, want %s", c.set.Meta.DataVersion, c.day, a.Answer, err, c.want)
		}
	}
	if with.Meta.DataVersion != "2026-11-23.2+bank.1" || !strings.Contains(with.Meta.Review, "needs review") {
		t.Errorf("%s %s", with.Meta.DataVersion, with.Meta.Review)
	}
	if row, _ := mustFinder(t, s).Gateway("AU-POOL-AGENT"); row.Status != route.Uncertain {
		t.Error("the overlay changed the set that it was laid over")
	}
}

func mustFinder(t *testing.T, s Set) *route.Finder {
	t.Helper()
	f, err := s.Finder()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOverlaysThatAreRefused(t *testing.T) {
	s, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, says string }{
		{"other version", `overlays: "2026-11-23.2"`, `overlays: "2025-01-01"`, "review it"},
		{"unsaid replacement", "replaces: [AU-POOL-AGENT]", "replaces: []", "list it under replaces"},
		{"replaces nothing", "replaces: [AU-POOL-AGENT]", "replaces: [AU-POOL-AGENT, AU-IPO]", "gives no row"},
		{"replaces no row", "AU-POOL-AGENT", "AU-POOL-AGNET", "which is no row"},
		{"removes no row", "replaces: [AU-POOL-AGENT]", "replaces: [AU-POOL-AGENT]\nremoves: [AU-XX]", "AU-XX"},
		{"unknown code", "to: [plx.pool]", "to: [plx.poll]", "plx.pool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ReadOverlay("o.yaml", []byte(strings.ReplaceAll(overlay, c.old, c.new)))
			if err == nil {
				_, err = s.With(o)
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Sentence(err), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPublicationNeedsTwoCounsel(t *testing.T) {
	raw := []byte(overlay)
	var trusted []Counsel
	keys := map[string]ed25519.PrivateKey{}
	for _, id := range []string{"counsel-a", "counsel-b", "stranger"} {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[id] = priv
		if id != "stranger" {
			trusted = append(trusted, Counsel{ID: id, Entity: "example-bank", Key: pub})
		}
	}
	base := []byte("the rows under it")
	st, err := State(raw, base, "bank.1", "2026-11-01", "2027-10-31", "reviewed for Example Bank (simulated)")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(p Publication, ids ...string) Publication {
		for _, id := range ids {
			if p, err = p.Sign(st, id, keys[id]); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	both := sign(Publication{}, "counsel-a", "counsel-b")
	got, names, err := both.Verify(raw, base, trusted, "2026-11-23")
	if err != nil || got != st || len(names) != 2 {
		t.Fatal(got, names, err)
	}
	if _, err := both.Sign(st, "counsel-a", keys["counsel-a"]); !fault.Is(err, fault.Conflict) {
		t.Error("signed twice", err)
	}
	other := st
	other.EffectiveTo = ""
	if _, err := both.Sign(other, "stranger", keys["stranger"]); !fault.Is(err, fault.Conflict) {
		t.Error("a signature over another statement was added", err)
	}
	forged := sign(Publication{}, "counsel-a")
	forged.Signatures = append(forged.Signatures, forged.Signatures[0])
	forged.Signatures[1].Key = "counsel-b"
	twin := []Counsel{trusted[0], {ID: "counsel-b", Key: trusted[0].Key}}
	for name, c := range map[string]struct {
		p         Publication
		raw, base []byte
		trusted   []Counsel
		day       string
	}{
		"one":           {sign(Publication{}, "counsel-a"), raw, base, trusted, "2026-11-23"},
		"a stranger":    {sign(Publication{}, "counsel-a", "stranger"), raw, base, trusted, "2026-11-23"},
		"forged":        {forged, raw, base, trusted, "2026-11-23"},
		"one key twice": {forged, raw, base, twin, "2026-11-23"},
		"other bytes":   {both, append(bytes.Clone(raw), ' '), base, trusted, "2026-11-23"},
		"too early":     {both, raw, base, trusted, "2026-10-31"},
		"too late":      {both, raw, base, trusted, "2027-11-01"},
		"other rows":    {both, raw, []byte("other rows"), trusted, "2026-11-23"},
		"no rows":       {both, raw, nil, trusted, "2026-11-23"},
	} {
		if _, _, err := c.p.Verify(c.raw, c.base, c.trusted, c.day); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := State(raw, nil, "v", "2026-11-01", "2026-10-01", "x"); !fault.Is(err, fault.Invalid) {
		t.Error("dates the wrong way round", err)
	}
}

func TestUnsignedFilesSayThatReviewIsNeeded(t *testing.T) {
	for said, want := range map[string]string{
		"":                      needsReview,
		needsReview:             needsReview,
		"reviewed by everybody": needsReview + "; unsigned, it says of itself: reviewed by everybody",
	} {
		if got := Unsigned(said); got != want {
			t.Errorf("%q is shown as %q", said, got)
		}
	}
	st := Statement{Review: "reviewed for Example Bank", EffectiveFrom: "2026-11-01"}
	if got := st.Sentence([]string{"a", "b"}); got != "reviewed for Example Bank (signed by a and b, effective 2026-11-01 to open)" {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(overlay))
	f.Add(BuiltInText()[:2000])
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := Read("fuzz.yaml", raw); err == nil {
			_, _ = s.Finder()
			_, _ = Lint("fuzz.yaml", raw)
		} else if !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		if _, err := ReadOverlay("fuzz.yaml", raw); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}
