package auditor

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+b)), ed25519.SeedSize)))
}

func pub(b byte) ed25519.PublicKey { return key(b).Public().(ed25519.PublicKey) }

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// Keys of the little pool below.
const (
	hubKey, memberKey, witness1, witness2 = 0, 1, 2, 3
	size                                  = 8 // of its log
)

// auditing is an audit that stands after the log was read: one member's batch, which
// two key holders say that they answered.
type auditing struct {
	*queryAudit
	t     *testing.T
	batch client.Batch
	entry tlog.Opening
}

func newAuditing(t *testing.T) *auditing {
	t.Helper()
	m := opening.Manifest{Pool: "p", Epoch: "e", Hub: opening.Operator{ID: "hub", Key: pub(hubKey), LogOrigin: "log"},
		Holders: []opening.Holder{{Index: 1, ID: "holder-1", Witness: pub(witness1)}, {Index: 2, ID: "holder-2", Witness: pub(witness2)}},
		Members: []opening.Member{{ID: "bank-a", Key: pub(memberKey)}}}
	a := &auditing{t: t, queryAudit: &queryAudit{o: QueryOptions{Clock: clock.Manual(now)}, c: &check{report: &Report{manifest: m, Entries: size}},
		out: &QueryReport{Findings: []Finding{}}, batches: map[opening.Hash]*QueryBatch{}}}
	a.batch = client.Batch{Class: selector.Email, Seed: [32]byte{1}, Time: now.UnixMicro()}
	for i := range 200 {
		s := selector.Selector{Class: selector.Email, Form: "exact", Value: fmt.Sprint(i, "@mail-one.net"), Rule: 1}
		a.batch.Inputs = append(a.batch.Inputs, s.Input())
		a.batch.Cases = append(a.batch.Cases, client.QueryCase{Reference: fmt.Sprint("C-", i), Date: "2026-11-20", Kind: "report"})
	}
	a.must(client.Member{Caller: client.Caller{Sender: "bank-a", Key: key(memberKey)}, Manifest: m}.Prepare(&a.batch))
	return a
}

func (a *auditing) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// asked is a holder's word, with the hub's promise and a draw of the log's only head.
func (a *auditing) asked(witness byte, promised func(*client.QueryPromise)) client.AskedBatch {
	a.t.Helper()
	p := client.QueryPromise{Pool: "p", Epoch: "e", Organisation: "bank-a", Batch: a.batch.Digest(), Ticket: "t", Time: now.UnixMicro()}
	raw, err := signed.Marshal(p.Record())
	a.must(err)
	a.entry = tlog.Opening{Record: raw}
	p.Commitment = opening.Hash(tlog.Commit(a.entry.Nonce, raw))
	if promised != nil {
		promised(&p)
	}
	o, err := signed.Sign(client.QueryPromiseDomain, "hub", key(hubKey), p)
	a.must(err)
	d := client.Draw{Size: size, Root: tlog.Hash{5}, Time: now.Unix()}
	d.Sig = tlog.CosignatureOf(d.Checkpoint("log"), key(witness), d.Time)
	return client.AskedBatch{Batch: p.Batch, Organisation: p.Organisation, Class: "email", Points: 256, Day: "2026-11-24", Promise: o, Draw: &d}
}

// run takes both holders' words, then the member's answer to what they drew.
func (a *auditing) run(one, two client.AskedBatch, place int64) string {
	a.t.Helper()
	holders := a.c.report.manifest.Holders
	a.claim(holders[0], one)
	a.claim(holders[1], two)
	a.c.found = client.Rebuilt{Found: map[tlog.Hash]int64{}, Roots: map[int64]tlog.Hash{size: {5}}}
	for _, c := range a.c.wanted {
		if place >= 0 {
			a.c.found.Found[c] = place
		}
	}
	a.must(a.draw(a.t.Context()))
	if b := a.batches[a.batch.Digest()]; b != nil {
		var rows []int
		for i := range b.Points {
			if b.drawn[i] != "" && i < 256 {
				rows = append(rows, i)
			}
		}
		o, err := a.batch.OpenRows(rows, a.entry)
		a.must(err)
		a.answer("bank-a", o)
	}
	_ = a.conclude()
	var out strings.Builder
	for _, f := range a.out.Findings {
		fmt.Fprintf(&out, "%s: %s\n", f.Against, f.Text)
	}
	return out.String()
}

// What key holders and hub say that cannot be is found against them, and an honest
// member stays clear of it.
func TestWhoIsFoundIsWhoLied(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *auditing, one, two *client.AskedBatch)
		place  int64
		want   string
	}{
		"nobody":     {nil, 3, ""},
		"no promise": {func(_ *auditing, _, two *client.AskedBatch) { two.Promise = signed.Object{} }, 3, "holder-2: it answered a batch without the hub's promise"},
		"a stranger": {func(a *auditing, _, two *client.AskedBatch) {
			*two = a.asked(witness2, func(p *client.QueryPromise) { p.Organisation = "x" })
		}, 3, "holder-2: it answered who is no member"},
		"fewer points":    {func(_ *auditing, _, two *client.AskedBatch) { two.Points = 512 }, 3, "holder-2: it says that it was asked 512 points"},
		"more points":     {func(_ *auditing, one, _ *client.AskedBatch) { one.Points = 1024 }, 3, "holder-1: it says that it was asked 1024 points"},
		"another class":   {func(_ *auditing, one, _ *client.AskedBatch) { one.Class = "phone" }, 3, "holder-1: it says that it was asked 256 points of phone"},
		"another log":     {func(_ *auditing, _, two *client.AskedBatch) { two.Draw.Root = tlog.Hash{6} }, 3, "holder-2: it names a checkpoint of 8 entries that this log does not have"},
		"a head of never": {func(_ *auditing, _, two *client.AskedBatch) { two.Draw.Size = 99 }, 3, "holder-2: it names a checkpoint of 99 entries"},
		"another's draw":  {func(_ *auditing, one, two *client.AskedBatch) { two.Draw = one.Draw }, 3, "holder-2: the cosignature that key holder holder-2 names"},
		"two promises": {func(a *auditing, _, two *client.AskedBatch) {
			*two = a.asked(witness2, func(p *client.QueryPromise) { p.Time++ })
		}, 3, "hub: it gave two different promises"},
		"logged late": {nil, size, "hub: in the log at place 9"},
		"not logged":  {func(a *auditing, _, _ *client.AskedBatch) { a.o.Clock = clock.Manual(now.Add(25 * time.Hour)) }, -1, "hub: promised on"},
		"a manifest of the future": {func(a *auditing, one, two *client.AskedBatch) {
			early := func(p *client.QueryPromise) { p.Time -= (time.Hour).Microseconds() }
			*one, *two = a.asked(witness1, early), a.asked(witness2, early)
		}, 3, "bank-a: the batch's manifest is dated after it was handed in"},
	} {
		a := newAuditing(t)
		one, two := a.asked(witness1, nil), a.asked(witness2, nil)
		if c.change != nil {
			c.change(a, &one, &two)
		}
		got := a.run(one, two, c.place)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: want %q, got\n%s", name, c.want, got)
		}
		if !strings.HasPrefix(c.want, "bank-a") && strings.Contains(got, "bank-a: ") && name != "a stranger" {
			t.Errorf("%s: the member is found as well:\n%s", name, got)
		}
	}
}
