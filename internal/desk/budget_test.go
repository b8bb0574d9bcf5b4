package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/selector"
)

// emails is a file of n people with an e-mail address each.
func emails(prefix string, n int) string {
	var b strings.Builder
	b.WriteString("ref,email,mobile\n")
	for i := range n {
		fmt.Fprintf(&b, "%s-%d,person.%s%d@mail-one.net,\n", prefix, i, prefix, i)
	}
	return b.String()
}

// member is a joined bank desk in a world of its own.
func memberDesk(t *testing.T) (*world, *Desk) {
	w := newWorld(t)
	bank, card := w.desk(RoleContributor, "bank", "")
	w.publish(card)
	_, err := bank.Join(context.Background(), w.url, w.setup.Transcript.Hash())
	must(t, err)
	return w, bank
}

func class(p Plan, c selector.Class) ClassPlan {
	for _, x := range p.Classes {
		if x.Class == c {
			return x
		}
	}
	return ClassPlan{}
}

// A file that fits a whole day but not what is left of today is stopped before
// anything is sent, also by a desk that has lost its records: the holders know.
func TestPlanKnowsWhatIsLeftToday(t *testing.T) {
	ctx := context.Background()
	w, bank := memberDesk(t)
	first := File(file(t, "first.csv", emails("a", 10)))
	p, err := bank.Plan(ctx, first, peopleMapping)
	must(t, err)
	if c := class(p, selector.Email); !c.LeftKnown || c.Left != 300 || c.Points != 256 || !p.Fits() || p.Holders != 3 {
		t.Fatalf("before: %+v of %d holders", c, p.Holders)
	}
	_, err = bank.Submit(ctx, p, "b1", nil)
	must(t, err)
	w.settle()
	second := File(file(t, "second.csv", emails("b", 10)))
	check := func(what string) {
		t.Helper()
		p, err := bank.Plan(ctx, second, peopleMapping)
		must(t, err)
		if c := class(p, selector.Email); c.Left != 44 || c.Points != 256 || c.Fits || p.Fits() || !strings.Contains(p.TooMuch(), "44 of 300 are left today") {
			t.Errorf("%s: %+v %s", what, c, p.TooMuch())
		}
		sent := len(w.batches)
		if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "44 of 300") || len(w.batches) != sent {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("the same desk")
	must(t, bank.Close())
	for _, name := range []string{storeFile, storeFile + "-wal", storeFile + "-shm"} {
		if err := os.Remove(filepath.Join(bank.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	bank, err = Open(ctx, Options{Dir: bank.dir, Clock: w.clock})
	must(t, err)
	t.Cleanup(func() { bank.Close() })
	_, err = bank.Join(ctx, w.url, w.setup.Transcript.Hash())
	must(t, err)
	w.law(bank)
	check("a desk that lost its records")

	w.deaf = 2 // one holder left: nothing is known, a day's budget bounds
	p, err = bank.Plan(ctx, second, peopleMapping)
	must(t, err)
	if c := class(p, selector.Email); c.LeftKnown || !c.Fits || p.Holders != 1 {
		t.Errorf("with one holder: %+v", c)
	}
}

// What was charged before a break is free, and does not stand in its own way.
func TestResumeFitsAnEmptyBudget(t *testing.T) {
	ctx := context.Background()
	w, bank := memberDesk(t)
	in := File(file(t, "first.csv", emails("a", 10)))
	p, err := bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	w.refuse = true // the batch is charged, then the contribution is refused
	if _, err := bank.Submit(ctx, p, "b1", nil); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	w.refuse = false
	w.settle()
	p, err = bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	if c := class(p, selector.Email); c.Points != 0 || c.Left != 44 || !p.Fits() || p.Observations != 10 {
		t.Fatalf("resumed: %+v", c)
	}
	res, err := bank.Submit(ctx, p, "b1", nil)
	if err != nil || res.Observations != 10 || len(w.charges[0]) != 1 {
		t.Errorf("%+v, %v, %d batches charged", res, err, len(w.charges[0]))
	}
}

// A holder that lies is caught, named in a file that proves it, and nothing of
// the batch is used.
func TestWrongAnswerIsKeptAsEvidence(t *testing.T) {
	ctx := context.Background()
	w, bank := memberDesk(t)
	w.liar, w.deaf = 1, 3 // the first two holders answer, the second wrongly
	in := File(file(t, "people.csv", people))
	p, err := bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	_, err = bank.Submit(ctx, p, "b1", nil)
	if !errors.Is(err, client.ErrWrongAnswer) || fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), "evidence") || len(w.batches) != 0 {
		t.Fatalf("a wrong answer: %v, %d contributions", err, len(w.batches))
	}
	for _, word := range []string{"holder-2", "Body 2"} {
		if strings.Contains(fault.Sentence(err), word) {
			t.Errorf("the error is not constant, it says %q", word)
		}
	}
	paths, err := filepath.Glob(filepath.Join(bank.dir, evidenceDir, "*.json"))
	must(t, err)
	if len(paths) != 1 || !IsEvidence(paths[0]) {
		t.Fatalf("evidence files: %v", paths)
	}
	pin := opening.Hash(w.setup.Transcript.Hash())
	a, err := VerifyEvidence(paths[0], pin)
	if err != nil || a.Holder != "holder-2" || a.Member != "bank" || !a.Pinned {
		t.Fatalf("%+v, %v", a, err)
	}
	raw, err := os.ReadFile(paths[0])
	must(t, err)
	if strings.Contains(string(raw), "person@") {
		t.Error("the evidence holds a selector")
	}
	if _, err := VerifyEvidence(paths[0], opening.Hash{9}); err == nil {
		t.Error("another ceremony's pin")
	}
	frames(t, raw, pin, w)

	w.liar = -1
	p, err = bank.Plan(ctx, in, peopleMapping)
	must(t, err)
	if res, err := bank.Submit(ctx, p, "b1", nil); err != nil || res.Observations != 2 {
		t.Errorf("after the holder was mended: %+v, %v", res, err)
	}
}

// frames changes evidence in every way that could put words into a holder's
// mouth; each is refused.
func frames(t *testing.T, raw []byte, pin opening.Hash, w *world) {
	t.Helper()
	for name, change := range map[string]func(e *client.Evidence){
		"another answer":        func(e *client.Evidence) { e.Answer.Answer.Proof[3] ^= 1 },
		"another point asked":   func(e *client.Evidence) { e.Request.Points[0] = e.Request.Points[1] },
		"another holder":        func(e *client.Evidence) { e.Answer.Answer.Index = 1 },
		"no such holder":        func(e *client.Evidence) { e.Answer.Answer.Index = 9 },
		"the receipt's bytes":   func(e *client.Evidence) { e.Answer.Receipt.Sig[0] ^= 1 },
		"asked by nobody known": func(e *client.Evidence) { e.Request.Batch.Key = "stranger" },
	} {
		var f EvidenceFile
		must(t, json.Unmarshal(raw, &f))
		change(f.Evidence)
		changed, err := json.Marshal(f)
		must(t, err)
		if a, err := VerifyEvidence(file(t, "e.json", string(changed)), pin); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
	var f EvidenceFile
	must(t, json.Unmarshal(raw, &f))
	if h, _, err := f.Evidence.Verify(f.Setup, w.manifest); err != nil || h.ID != "holder-2" {
		t.Errorf("unchanged: %v", err)
	}
}
