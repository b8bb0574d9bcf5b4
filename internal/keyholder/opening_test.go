package keyholder

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/seal/sealtest"
	"parallax/selector"
	"parallax/signed"
)

// read does what the authority's desk does with the answers of some holders.
func (w *world) read(c contribution, answers map[int]client.OpenAnswer, digest opening.Hash) (string, error) {
	w.t.Helper()
	var parts []seal.Partial
	for index, ans := range answers {
		for _, o := range ans.Partials {
			var sp opening.SealedPartial
			must(w.t, o.Open(opening.PartialDomain, w.plan.Holders[index-1].Key, &sp))
			if sp.Label != c.label {
				continue
			}
			raw, err := seal.OpenFrom(w.authHPKE, opening.PartialInfo(digest, sp.Label, c.item.Observation.KEM.U, sp.Index), sp.Sealed)
			must(w.t, err)
			var p seal.Partial
			must(w.t, signed.Unmarshal(raw, &p))
			parts = append(parts, p)
		}
	}
	key, err := w.setup.PublicKey(client.PayloadLabel)
	must(w.t, err)
	text, err := seal.Open(key, "pool", "2026-11", c.item.Observation.Header, seal.Sealed{KEM: c.item.Observation.KEM, Box: c.box}, parts)
	return string(text), err
}

func TestThreeOrganisationsOpenToTheAuthority(t *testing.T) {
	w := newWorld(t)
	items := w.evidence()
	a := w.request(items, 0, 1, 2)
	w.assemble(a)
	digest := opening.Digest(a.bundle.Request.Body)
	answers := make(map[int]client.OpenAnswer)
	for _, i := range []int{1, 3} { // holder 2 is down
		ans, err := w.holders[i-1].Open(a.bundle)
		must(t, err)
		answers[i] = ans
		again, err := w.holders[i-1].Open(a.bundle)
		must(t, err)
		first, _ := signed.Marshal(ans)
		second, _ := signed.Marshal(again)
		if string(first) != string(second) {
			t.Fatal("the same request got other bytes")
		}
	}
	for i, want := range []string{"reference of bank-a", "reference of platform-a", "reference of hotline-a"} {
		if got, err := w.read(items[i], answers, digest); err != nil || got != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if _, err := w.read(items[0], map[int]client.OpenAnswer{1: answers[1]}, digest); err == nil {
		t.Fatal("one holder alone opened a box")
	}
}

// Each line is an attack with the hub cooperating. Every holder refuses by
// itself; nothing is released.
func TestHoldersRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *world, a *attempt) // before signing and logging
		after  func(w *world, a *attempt) // on the finished bundle
		want   string
	}{
		"only the authority approves":       {before: func(w *world, a *attempt) { a.approvals = []string{"officer"} }, want: "oversight"},
		"only oversight approves":           {before: func(w *world, a *attempt) { a.approvals = []string{"overseer"} }, want: "oversight"},
		"a forged approver":                 {before: func(w *world, a *attempt) { w.keys["overseer"] = w.keys["stranger"] }, want: "does not verify"},
		"a stranger approves":               {before: func(w *world, a *attempt) { a.approvals = []string{"officer", "stranger"} }, want: "no approver"},
		"a stranger requests":               {before: func(w *world, a *attempt) { a.signer = "stranger" }, want: "no approver"},
		"oversight requests":                {before: func(w *world, a *attempt) { a.signer = "overseer" }, want: "no approver of the authority"},
		"another recipient":                 {before: func(w *world, a *attempt) { a.request.Recipient = "hub" }, want: "not the authority"},
		"another purpose":                   {before: func(w *world, a *attempt) { a.request.Purpose = "statistics" }, want: "does not cover"},
		"an unknown legal basis":            {before: func(w *world, a *attempt) { a.request.LegalBasis = "basis-9" }, want: "not in the manifest"},
		"a request valid for a month":       {before: func(w *world, a *attempt) { a.request.Expires = w.clock.Now().AddDate(0, 1, 0).UnixMicro() }, want: "more than 7 days"},
		"an expired request":                {before: func(w *world, a *attempt) { a.request.Expires = w.clock.Now().Add(time.Hour).UnixMicro() }, want: "expired"},
		"one contributor left out":          {before: func(w *world, a *attempt) { a.items = a.items[:2]; a.request.Labels = a.request.Labels[:1] }, want: "rule is not met"},
		"an observation twice":              {before: func(w *world, a *attempt) { a.items[2] = a.items[1]; a.request.Labels = a.request.Labels[:1] }, want: "replay"},
		"a label that is not in the bundle": {before: func(w *world, a *attempt) { a.request.Labels = append(a.request.Labels, seal.Label{1}) }, want: "lacks an observation"},
		"a suspended member": {before: func(w *world, a *attempt) {
			w.deny(opening.Denial{Kind: opening.DenySuspend, Member: "bank-a"}, "gov-1")
		}, want: "suspended"},
		"a withdrawn observation": {before: func(w *world, a *attempt) {
			w.deny(opening.Denial{Kind: opening.DenyWithdraw, Member: "hotline-a", Labels: []seal.Label{a.items[2].label}}, "hotline-a")
		}, want: "withdrawn"},
		"a frozen observation": {before: func(w *world, a *attempt) {
			w.deny(opening.Denial{Kind: opening.DenyFreeze, Member: "hotline-a", Author: "hotline-a", Labels: []seal.Label{a.items[2].label}}, "hotline-a")
		}, want: "frozen"},
		"an observation that oversight froze": {before: func(w *world, a *attempt) {
			w.deny(opening.Denial{Kind: opening.DenyFreeze, Author: "overseer", Labels: []seal.Label{a.items[2].label}}, "overseer")
		}, want: "frozen"},
		"a revoked observation": {before: func(w *world, a *attempt) {
			w.deny(opening.Denial{Kind: opening.DenyRevoke, Member: "hotline-a", Author: "hotline-a", Labels: []seal.Label{a.items[2].label}}, "hotline-a")
		}, want: "corrected"},
		"openings halted":              {before: func(w *world, a *attempt) { w.deny(opening.Denial{Kind: opening.DenyHalt}, "overseer") }, want: "halted"},
		"an edited request":            {after: func(w *world, a *attempt) { a.bundle.Request.Body[20] ^= 1 }, want: "does not verify"},
		"approvals of another request": {after: func(w *world, a *attempt) { w.otherRequest(a) }, want: "another request"},
		"a changed label":              {after: func(w *world, a *attempt) { flip(&a.bundle.Items[0].Observation.Header) }, want: "not made for this observation"},
		"a free-text header": {after: func(w *world, a *attempt) {
			replace(&a.bundle.Items[0].Observation.Header, `"payment"`, `"seen at the pier"`)
		}, want: "not in form"},
		"a mixed-in box": {after: func(w *world, a *attempt) {
			a.bundle.Items[0].Observation.BoxDigest = a.bundle.Items[1].Observation.BoxDigest
		}, want: "not made for this observation"},
		"another's KEM":                    {after: func(w *world, a *attempt) { a.bundle.Items[0].Observation.KEM = a.bundle.Items[1].Observation.KEM }, want: "not made for this observation"},
		"a re-randomised KEM":              {after: func(w *world, a *attempt) { w.rerandomise(&a.bundle.Items[0].Observation.KEM) }, want: "not made for this observation"},
		"a swapped KEM":                    {after: func(w *world, a *attempt) { w.swapKEM(&a.bundle.Items[0]) }, want: "not what its organisation signed"},
		"another's batch":                  {after: func(w *world, a *attempt) { a.bundle.Items[0].BatchSig = a.bundle.Items[1].BatchSig }, want: "not signed by its organisation"},
		"another's log leaf":               {after: func(w *world, a *attempt) { a.bundle.Items[0].Log = a.bundle.Items[1].Log }, want: "another batch"},
		"a leaf not in the log":            {after: func(w *world, a *attempt) { a.bundle.Items[0].Log.Opening.Nonce[0] ^= 1 }, want: "not in the log"},
		"approvals swapped after logging":  {after: func(w *world, a *attempt) { slices.Reverse(a.bundle.Approvals) }, want: "other approvals"},
		"a checkpoint nobody witnessed":    {after: func(w *world, a *attempt) { a.bundle.Checkpoint = a.bundle.Checkpoint[:len(a.bundle.Checkpoint)/3] }, want: "checkpoint"},
		"a stale checkpoint":               {after: func(w *world, a *attempt) { w.clock.Advance(25 * time.Hour) }, want: "24 hours"},
		"a checkpoint behind the holder's": {after: func(w *world, a *attempt) { w.log.append(w.t, "later"); w.tick() }, want: "behind"},
		"a forked checkpoint":              {after: func(w *world, a *attempt) { w.fork(a) }, want: "does not follow"},
		"a borrowed tag":                   {before: func(w *world, a *attempt) { w.instead(a, 1, w.borrow(a.items[0])) }, want: "not signed by its possession key"},
		"an unregistered organisation":     {before: func(w *world, a *attempt) { w.instead(a, 0, w.outsider()) }, want: "not registered"},
		"another organisation's sector": {before: func(w *world, a *attempt) {
			w.instead(a, 0, w.changed(func(h *opening.Header) { h.Sector = "police" }))
		}, want: "sector"},
		"an observation of another pool": {before: func(w *world, a *attempt) {
			w.instead(a, 0, w.changed(func(h *opening.Header) { h.Pool = "other" }))
		}, want: "another pool or epoch"},
		"an observation of another epoch": {before: func(w *world, a *attempt) {
			w.instead(a, 0, w.changed(func(h *opening.Header) { h.Epoch = "2025-11" }))
		}, want: "another pool or epoch"},
		"a rule that nobody signed": {before: func(w *world, a *attempt) { w.instead(a, 0, w.changed(func(h *opening.Header) { h.Rule[0] ^= 1 })) }, want: "a rule that the manifest does not hold"},
		"an observation of a manifest to come": {before: func(w *world, a *attempt) {
			w.instead(a, 0, w.changed(func(h *opening.Header) { h.Manifest = 2 }))
		}, want: "manifest version 2"},
		"a request of a manifest to come": {before: func(w *world, a *attempt) { a.request.Manifest = 2 }, want: "manifest version 2"},
		"an expired observation": {before: func(w *world, a *attempt) {
			w.expires = w.clock.Now().Add(3 * time.Hour).UnixMicro()
			w.instead(a, 0, w.changed(nil)) // four hours pass until it is asked for
		}, want: "expired"},
		"a tag that outlives the keys": {before: func(w *world, a *attempt) {
			w.next(func(m *opening.Manifest) { m.KeysEnd = start.AddDate(0, 6, 0).UnixMicro() })
		}, want: "outlives the keys"},
		"an old manifest, from before a suspension": {before: func(w *world, a *attempt) {
			w.next(func(m *opening.Manifest) { m.Members[0].Status = opening.Suspended })
		}, want: "suspended"},
		"an old manifest, from before an approver left": {before: func(w *world, a *attempt) {
			w.next(func(m *opening.Manifest) { m.Approvers = m.Approvers[:1] })
		}, want: "no approver"},
		"an old manifest, from before a basis ended": {before: func(w *world, a *attempt) {
			w.next(func(m *opening.Manifest) { m.LegalBases = nil })
		}, want: "not in the manifest"},
		"a broken glass that the manifest does not know": {before: func(w *world, a *attempt) { w.breakGlass(a) }, want: "does not allow breaking the glass"},
		"a forged recipient key": {after: func(w *world, a *attempt) {
			m := w.manifest
			m.Version, m.Previous, m.Authority.HPKE = 2, opening.Digest(w.signed.Body), make([]byte, 32)
			a.bundle.Manifests = append(a.bundle.Manifests, w.sign(m, "gov-1"))
		}, want: "governance"},
		"a recipient key changed today": {after: func(w *world, a *attempt) {
			m := w.manifest
			m.Version, m.Previous, m.Authority.HPKE = 2, opening.Digest(w.signed.Body), make([]byte, 32)
			a.bundle.Manifests = append(a.bundle.Manifests, w.sign(m, "gov-1", "gov-2"))
		}, want: "30 days"},
		"an unknown manifest": {after: func(w *world, a *attempt) { a.bundle.Manifests = []opening.SignedManifest{w.sign(w.manifest, "gov-1")} }, want: "governance"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.request(w.evidence(), 0, 1, 2)
			if c.before != nil {
				c.before(w, a)
			}
			w.assemble(a)
			if c.after != nil {
				c.after(w, a)
			}
			for i, h := range w.holders {
				ans, err := h.Open(a.bundle)
				if err == nil || !strings.Contains(fault.Sentence(err), c.want) || len(ans.Partials) > 0 {
					t.Errorf("holder %d answered %d shares and %v, want a refusal with %q", i+1, len(ans.Partials), err, c.want)
				}
				if len(h.state.releases) > 0 {
					t.Errorf("holder %d recorded a release", i+1)
				}
			}
		})
	}
}

// swapKEM puts an encapsulation of the hub's own, with a proof that holds,
// under a member's label.
func (w *world) swapKEM(it *opening.Item) {
	w.t.Helper()
	label, err := it.Observation.Label()
	must(w.t, err)
	it.Observation.KEM, err = sealtest.Forge("pool", "2026-11", label)
	must(w.t, err)
	if _, _, err := it.Observation.Verify(); err != nil {
		w.t.Fatalf("the forged encapsulation must hold by itself: %v", err)
	}
}

// The hub swaps a member's encapsulation after it took the batch. By itself the
// swapped one verifies; holders refuse it, and the log says who did it: the
// record that the hub itself wrote, under the member's signature, leads to the
// member's encapsulation and not to the one that the hub delivers. With the
// member's own the opening goes on.
func TestSwappedEncapsulationIsTheHubsDoing(t *testing.T) {
	w := newWorld(t)
	items := w.evidence()
	a := w.request(items, 0, 1, 2)
	w.assemble(a)
	honest := a.bundle.Items[0]
	w.swapKEM(&a.bundle.Items[0])
	for i, h := range w.holders {
		if _, err := h.Open(a.bundle); !errors.Is(err, opening.ErrNotSigned) {
			t.Errorf("holder %d: %v", i+1, err)
		}
	}
	var rec opening.BatchRecord
	must(t, signed.Unmarshal(honest.Log.Opening.Record, &rec))
	bank := opening.Member{Key: pub(w.keys["bank-a"])}
	header, err := opening.DecodeHeader(honest.Observation.Header)
	must(t, err)
	if rec.Root != honest.Root || honest.VerifyBatch(bank, header) != nil {
		t.Error("the records do not lead to what the member contributed")
	}
	if a.bundle.Items[0].VerifyBatch(bank, header) == nil {
		t.Error("the records lead to the hub's encapsulation")
	}
	a.bundle.Items[0] = honest
	for _, h := range w.holders {
		_, err := h.Open(a.bundle)
		must(t, err)
	}
}

func flip(b *[]byte) { replace(b, `"strength":2`, `"strength":3`) }

func replace(b *[]byte, old, with string) { *b = []byte(strings.Replace(string(*b), old, with, 1)) }

func (w *world) signedDenial(d opening.Denial, author string) signed.Object {
	w.t.Helper()
	d.Pool, d.Time, d.Labels = "pool", w.clock.Now().UnixMicro(), append([]seal.Label{}, d.Labels...)
	o, err := signed.Sign(opening.DenialDomain, author, w.keys[author], d)
	must(w.t, err)
	return o
}

func (w *world) deny(d opening.Denial, author string) {
	w.t.Helper()
	o := w.signedDenial(d, author)
	for i, h := range w.holders {
		got, err := h.Deny(o)
		must(w.t, err)
		var ack client.DenialAck
		must(w.t, got.Open(client.DenialAckDomain, w.plan.Holders[i].Key, &ack))
		if ack.Denial != opening.Digest(o.Body) || ack.Holder != i+1 {
			w.t.Fatalf("holder %d acknowledges %+v", i+1, ack)
		}
	}
}

// The delay and the release times are the veto window: before them the answer
// is "not yet", and the request shows on the holder's page.
func TestReleaseWaitsForTheVetoWindow(t *testing.T) {
	w := newWorld(t)
	a := w.request(w.evidence(), 0)
	a.wait = time.Minute
	w.assemble(a)
	_, err := w.holders[0].Open(a.bundle)
	if fault.KindOf(err) != fault.Conflict || !errors.Is(err, opening.ErrWait) {
		t.Fatalf("in the veto window: %v", err)
	}
	if v := w.holders[0].view(); len(v.Pending) != 1 || v.Pending[0].Basis != "basis-1" {
		t.Fatalf("the request is not on the page: %+v", v.Pending)
	}
}

// A hub that hands an accomplice another member's tag is refused: the
// accomplice cannot sign with a key that it never evaluated.
func TestBorrowedTagIsRefused(t *testing.T) {
	w := newWorld(t)
	mine := w.contribute("bank-a", "someone@mail-one.net", "payment", 2, nil)
	h, err := opening.DecodeHeader(mine.item.Observation.Header)
	must(t, err)
	m := w.members["platform-a"]
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte("other")), Inputs: [][]byte{[]byte("another")}, Basis: "basis-1"}
	must(t, m.Prepare(&b))
	own, err := m.Tokenise(context.Background(), &b)
	must(t, err)
	h.Organisation, h.Sector = "platform-a", "platform"
	raw, err := h.Encode()
	must(t, err)
	key, err := w.setup.PublicKey(client.PayloadLabel)
	must(t, err)
	s, label, err := seal.Seal(key, "pool", "2026-11", raw, []byte("x"), m.Random)
	must(t, err)
	digest := seal.BoxDigest(s.Box)
	o := opening.Observation{Header: raw, BoxDigest: digest[:], KEM: s.KEM, TagSigs: [][]byte{own[0].Sign(label[:])}}
	if _, _, err := o.Verify(); err == nil || !strings.Contains(err.Error(), "possession") {
		t.Fatalf("a tag that was never evaluated: %v", err)
	}
}

func TestPossibleVictimSwitchesThePlaybook(t *testing.T) {
	w := newWorld(t)
	victim := w.contribute("hotline-a", "someone@mail-one.net", "report", 3, func(h *opening.Header) { h.Role = opening.RolePossibleVictim })
	items := append(w.evidence(), victim)
	w.clock.Advance(2 * time.Hour)
	a := w.request(items, 0)
	w.assemble(a)
	if _, err := w.holders[0].Open(a.bundle); err == nil || !strings.Contains(fault.Sentence(err), "could this be a child?") {
		t.Fatalf("the standard playbook: %v", err)
	}
	a = w.request(items, 0)
	a.request.Playbook = opening.PlaybookChildPossible
	w.assemble(a)
	if _, err := w.holders[0].Open(a.bundle); err != nil {
		t.Fatalf("the right playbook: %v", err)
	}
}

func TestBudgetsSurviveRestartAndResumeIsFree(t *testing.T) {
	w := newWorld(t)
	m := w.members["bank-a"]
	ask := func(seed string) error {
		b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(seed)), Inputs: [][]byte{[]byte("x")}, Basis: "basis-1"}
		if err := m.Prepare(&b); err != nil {
			return err
		}
		_, err := m.Tokenise(context.Background(), &b)
		return err
	}
	for _, seed := range []string{"1", "2", "1", "3", "1", "4", "2"} {
		must(t, ask(seed)) // four different batches of 256 are the budget of 1,024
	}
	if err := ask("5"); err == nil || !strings.Contains(err.Error(), "0 points left") {
		t.Fatalf("beyond the budget: %v", err)
	}
	must(t, ask("3"))
	must(t, w.holders[0].Close())
	again := w.open(w.dirs[0])
	if used := again.state.used[budgetKey{"bank-a", "email", "2026-11-02"}]; used != 1024 {
		t.Fatalf("after a restart %d points are charged, want 1024", used)
	}
	w.clock.Advance(24 * time.Hour)
	w.holders[0] = again
	if err := ask("6"); err != nil {
		t.Fatalf("the next day: %v", err)
	}
}

// TestBudgetIsToldToItsMemberAlone: what is left and what was charged, signed,
// of the asking member only, and asking changes nothing.
func TestBudgetIsToldToItsMemberAlone(t *testing.T) {
	w := newWorld(t)
	m := w.members["bank-a"]
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte("1")), Inputs: [][]byte{[]byte("x")}, Basis: "basis-1"}
	must(t, m.Prepare(&b))
	unknown := opening.Hash{1}
	for _, least := range []int{0, 2, 2} { // holders that have charged the batch, at least
		answers, err := m.Budgets(context.Background(), []opening.Hash{b.Digest(), unknown})
		if err != nil || len(answers) != len(w.holders) {
			t.Fatalf("%d answers, %v", len(answers), err)
		}
		charged := 0
		for _, a := range answers {
			want := 1024
			if a.Charged[0] {
				charged++
				want -= 256
			}
			if a.Left(selector.Email) != want || a.Left(selector.Phone) != 0 || a.Charged[1] || a.Day != "2026-11-02" {
				t.Errorf("%+v, want %d left", a, want)
			}
		}
		if charged < least || least == 0 && charged > 0 {
			t.Errorf("%d holders say that they charged the batch", charged)
		}
		_, err = m.Tokenise(context.Background(), &b)
		must(t, err)
	}
	other := w.members["platform-a"]
	answers, err := other.Budgets(context.Background(), nil)
	must(t, err)
	if answers[0].Left(selector.Email) != 1024 || answers[0].Organisation != "platform-a" {
		t.Errorf("another member: %+v", answers[0])
	}
	thief := m
	thief.Sender = "platform-a"
	if answers, err := thief.Budgets(context.Background(), nil); err == nil || len(answers) != 0 {
		t.Errorf("asked in another's name: %v", answers)
	}
	if _, err := m.Budgets(context.Background(), make([]opening.Hash, client.MaxBudgetBatches+1)); err == nil {
		t.Error("too many batches in one question")
	}
}

func TestManifestsOnlyGoForward(t *testing.T) {
	w := newWorld(t)
	h := w.holders[0]
	next := w.manifest
	next.Version, next.Previous = 2, opening.Digest(w.signed.Body)
	next.Members = slices.Clone(next.Members)
	next.Members[0].Status = opening.Suspended
	must(t, h.Manifest([]opening.SignedManifest{w.sign(next, "gov-2", "gov-3")}))
	if h.Status().Manifest != 2 {
		t.Fatal("a tightening binds at once")
	}
	must(t, h.Manifest([]opening.SignedManifest{w.signed})) // an old one changes nothing
	if h.Status().Manifest != 2 {
		t.Fatal("the holder went back")
	}
	looser := next
	looser.Version, looser.Previous = 3, opening.Digest(w.sign(next, "gov-2", "gov-3").Body)
	looser.Delays.OpenSeconds = 1
	sm := w.sign(looser, "gov-1", "gov-2")
	if err := h.Manifest([]opening.SignedManifest{sm}); err == nil || !strings.Contains(fault.Sentence(err), "30 days") {
		t.Fatalf("a loosening at once: %v", err)
	}
	w.clock.Advance(29 * 24 * time.Hour)
	must(t, h.Close()) // what was noted outlives a restart
	h = w.open(w.dirs[0])
	if err := h.Manifest([]opening.SignedManifest{sm}); err == nil {
		t.Fatal("a loosening after 29 days")
	}
	w.clock.Advance(25 * time.Hour)
	must(t, h.Manifest([]opening.SignedManifest{sm}))
	if h.Status().Manifest != 3 {
		t.Fatal("the loosening does not bind after 30 days")
	}
}

// A date of issue long ago does not make a loosening bind earlier: the delay
// counts from when the holder first saw it.
func TestABackdatedLooseningWaitsAllTheSame(t *testing.T) {
	w := newWorld(t)
	m := w.manifest
	m.Version, m.Previous, m.Issued, m.Delays.OpenSeconds = 2, opening.Digest(w.signed.Body), start.AddDate(-1, 0, 0).UnixMicro(), 1
	sm := w.sign(m, "gov-1", "gov-2")
	for range 2 {
		if err := w.holders[0].Manifest([]opening.SignedManifest{sm}); err == nil || !strings.Contains(fault.Sentence(err), "30 days") {
			t.Fatalf("a loosening of last year: %v", err)
		}
	}
	if w.holders[0].Status().Manifest != 1 {
		t.Fatal("it binds")
	}
}
