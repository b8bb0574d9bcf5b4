package client

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// asking is a member with a prepared batch of two inputs.
func asking(t *testing.T, cases ...QueryCase) (Member, Batch) {
	t.Helper()
	m := Member{Caller: Caller{Sender: "bank-a", Key: vectorKey("bank-a")}, Manifest: opening.Manifest{Pool: "p", Epoch: "e"}}
	b := Batch{Class: selector.Email, Seed: sha256.Sum256([]byte("seed")), Time: time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC).UnixMicro(), Cases: cases}
	for _, v := range []string{"one@mail-one.net", "two@mail-one.net"} {
		b.Inputs = append(b.Inputs, selector.Selector{Class: selector.Email, Form: "exact", Value: v, Rule: 1}.Input())
	}
	if err := m.Prepare(&b); err != nil {
		t.Fatal(err)
	}
	return m, b
}

var goodCases = []QueryCase{{"C-1", "2026-11-23", "report"}, {"C-2", "2026-11-24", "report"}}

// opened gives a batch's manifest and its rows 0, 1 and 200, the last padding.
func opened(t *testing.T, cases ...QueryCase) (BatchManifest, []OpenedRow) {
	t.Helper()
	_, b := asking(t, cases...)
	o, err := b.OpenRows([]int{0, 1, 200}, tlog.Opening{})
	if err != nil {
		t.Fatal(err)
	}
	var man BatchManifest
	if err := o.Manifest.Open(BatchDomain, public(vectorKey("bank-a")), &man); err != nil {
		t.Fatal(err)
	}
	return man, o.Rows
}

func TestAnHonestRowHolds(t *testing.T) {
	man, rows := opened(t, goodCases...)
	for i, r := range rows {
		got, err := man.CheckRow(r)
		if err != nil || got.Dummy != (i == 2) {
			t.Errorf("row %d: %+v, %v", i, got, err)
		}
	}
	if got, _ := man.CheckRow(rows[0]); got.Selector.Value != "one@mail-one.net" || got.Case != goodCases[0] {
		t.Errorf("%+v", got)
	}
}

// Every way to show something else than what was asked.
func TestACheatingRowIsFound(t *testing.T) {
	guess := selector.Selector{Class: selector.Email, Form: "exact", Value: "harmless@mail-one.net", Rule: 1}.Input()
	for name, c := range map[string]struct {
		cheat func(r []OpenedRow)
		says  string
	}{
		"another input":            {func(r []OpenedRow) { r[0].Input = guess }, "not what was asked"},
		"the other row's input":    {func(r []OpenedRow) { r[0].Input, r[0].Blind = r[1].Input, r[1].Blind }, "not what was asked"},
		"another blind":            {func(r []OpenedRow) { r[0].Blind[0] ^= 1 }, "not what was asked"},
		"no blind":                 {func(r []OpenedRow) { r[0].Blind = seal.Bytes32{} }, "not what was asked"},
		"claimed to be padding":    {func(r []OpenedRow) { r[0].Input = oprf.DummyInput([32]byte{1}, 0) }, "not what was asked"},
		"padding of another place": {func(r []OpenedRow) { r[0] = r[2]; r[0].Path.Index, r[0].CasePath.Index = 0, 0 }, "not what was asked"},
		"another row shown":        {func(r []OpenedRow) { r[0] = r[1]; r[0].Path.Index = 0 }, "one place"},
		"another case":             {func(r []OpenedRow) { r[0].Case.Reference = "C-9" }, "not the one that the batch was made with"},
		"a case dated back":        {func(r []OpenedRow) { r[0].Case.Date = "2026-11-01" }, "not the one that the batch was made with"},
		"another row's case":       {func(r []OpenedRow) { r[0].Case, r[0].Salt, r[0].CasePath = r[1].Case, r[1].Salt, r[1].CasePath }, "one place"},
		"a path cut short":         {func(r []OpenedRow) { r[0].Path.Nodes = r[0].Path.Nodes[1:] }, "not what was asked"},
		"a smaller batch":          {func(r []OpenedRow) { r[0].Path.Count, r[0].CasePath.Count = 2, 2 }, "one place"},
	} {
		man, rows := opened(t, goodCases...)
		c.cheat(rows)
		if _, err := man.CheckRow(rows[0]); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was committed with the batch and does not do.
func TestACaseMustStandBehindARow(t *testing.T) {
	for name, c := range map[string]struct {
		of   QueryCase
		says string
	}{
		"no case":                    {QueryCase{}, "no case record"},
		"a case without a reference": {QueryCase{" ", "2026-11-20", "report"}, "no case record"},
		"the next day in Sydney":     {QueryCase{"C-1", "2026-11-25", "report"}, ""},
		"a case of much later":       {QueryCase{"C-1", "2026-11-26", "report"}, "after the batch"},
		"no date":                    {QueryCase{"C-1", "yesterday", "report"}, "dated"},
	} {
		man, rows := opened(t, c.of)
		_, err := man.CheckRow(rows[0])
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	man, rows := opened(t, goodCases...)
	man.Class = "phone"
	if _, err := man.CheckRow(rows[0]); err == nil || !strings.Contains(err.Error(), "class") {
		t.Errorf("another class: %v", err)
	}
}

// An answer opens to its auditor alone, and says outside what it is.
func TestAnAnswerIsForOneAuditor(t *testing.T) {
	m, b := asking(t, goodCases...)
	priv, pub, err := seal.GenerateHPKE()
	other, _, err2 := seal.GenerateHPKE()
	o, err3 := b.OpenRows([]int{1}, tlog.Opening{})
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	pool := opening.Manifest{Pool: "p", Epoch: "e", Members: []opening.Member{{ID: "bank-a", Key: public(vectorKey("bank-a"))}, {ID: "bank-b", Key: public(vectorKey("bank-b"))}}}
	raw, err := m.SealAnswer(QueryAnswer{Pool: "p", Epoch: "e", Organisation: "bank-a", Auditor: "aud", Batches: []OpenedBatch{o}}, opening.QueryAuditor{ID: "aud", HPKE: pub})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSealedAnswer(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open(pool, priv); err != nil || len(got.Batches) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if strings.Contains(string(raw), "mail-one") {
		t.Error("the file shows an identifier")
	}
	if _, err := s.Open(pool, other); err == nil {
		t.Error("another key opens it")
	}
	for name, change := range map[string]func(*SealedAnswer){
		"another member": func(s *SealedAnswer) { s.Organisation = "bank-b" }, "nobody": func(s *SealedAnswer) { s.Organisation = "x" },
		"another auditor": func(s *SealedAnswer) { s.Auditor = "y" }, "another epoch": func(s *SealedAnswer) { s.Epoch = "f" },
		"a changed byte": func(s *SealedAnswer) { s.Sealed[50] ^= 1 },
	} {
		c, _ := ReadSealedAnswer(raw)
		change(&c)
		if _, err := c.Open(pool, priv); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// FuzzQueryAnswer reads what a member may send, outside and inside: one spelling,
// no panic, and no row of a stranger's making that holds.
func FuzzQueryAnswer(f *testing.F) {
	f.Add([]byte(`{"pool":"p","epoch":"e","organisation":"bank-a","auditor":"aud","sealed":"AAAA"}`))
	f.Add([]byte(`{"pool":"p","epoch":"e","organisation":"bank-a","auditor":"aud","since":"2026-11-01","time":1,"batches":[{"manifest":{"body":"e30=","key":"bank-a","sig":""},"log":{"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","record":""},"rows":[{"input":"AA==","blind":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","path":{"index":-1,"count":256,"nodes":[]},"case":{"reference":"r","date":"d","kind":"k"},"salt":"0000000000000000000000000000000000000000000000000000000000000000","case_path":{"index":-1,"count":256,"nodes":[]}}]}]}`))
	man := BatchManifest{Pool: "p", Epoch: "e", Organisation: "bank-a", Class: "email", Count: 256, Root: opening.Hash{1}, Cases: opening.Hash{2}}
	pool := opening.Manifest{Pool: "p", Epoch: "e", Members: []opening.Member{{ID: "bank-a", Key: public(vectorKey("bank-a"))}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := ReadSealedAnswer(raw); err == nil {
			if again, err := signed.Marshal(s); err != nil || string(again) != string(raw) {
				t.Fatalf("%q is a second spelling", raw)
			}
			if _, err := s.Open(pool, make([]byte, 32)); err == nil {
				t.Fatal("opened without its key")
			}
		}
		if _, err := readAnswer(raw, SealedAnswer{}, pool.Members[0]); err == nil {
			t.Fatal("an answer that its member did not sign")
		}
		var a QueryAnswer
		if signed.Unmarshal(raw, &a) != nil {
			return
		}
		for _, b := range a.Batches {
			for _, r := range b.Rows {
				if _, err := man.CheckRow(r); err == nil {
					t.Fatal("a row that is in no batch holds")
				}
			}
		}
	})
}
