package client

import (
	"bytes"
	"crypto/sha3"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/group/grouptest"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
)

var issued = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).UnixMicro()

// card is a holder of a body, all of whose keys are its own.
func card(index int, id, entity string) opening.Holder {
	return opening.Holder{Index: index, ID: id, Entity: entity, URL: "http://" + id + ".test", Key: public(vectorKey(id)),
		Witness: public(vectorKey(id + " witness")), HPKE: seeded32(id + " hpke")}
}

// dealt is a setup whose three holders have shares of a ceremony, and an order
// that refreshes them.
func dealt(t *testing.T) (Setup, ReshareOrder) {
	t.Helper()
	s := Setup{Plan: goodPlan()}
	for i := range s.Plan.Holders {
		s.Plan.Holders[i] = card(i+1, fmt.Sprint("holder-", i+1), fmt.Sprint("Body ", i+1))
	}
	random := sha3.NewSHAKE128()
	for _, label := range []string{"email", PayloadLabel} {
		k, _, err := grouptest.Deal(2, 3, label, nil, random)
		if err != nil {
			t.Fatal(err)
		}
		s.Transcript.Keys = append(s.Transcript.Keys, k)
	}
	now := s.Committee()
	return s, ReshareOrder{Pool: "pool", Epoch: "2026-11", Generation: 1, Attempt: 1, Previous: now.Record, Dealers: []int{1, 2}, T: 2, N: 3,
		Holders: slices.Clone(now.Holders), Issued: issued, Expires: issued + time.Hour.Microseconds()}
}

// What an order may say, each limit on both of its sides, and whom it may give a
// share: no two with one body, no key or name of somebody else.
func TestOrdersToTheEdge(t *testing.T) {
	life := MaxOrderLife.Microseconds()
	replace := func(change func(h *opening.Holder)) func(*ReshareOrder) {
		return func(o *ReshareOrder) {
			o.Holders[2] = card(3, "holder-4", "Body 4")
			change(&o.Holders[2])
		}
	}
	old := card(3, "holder-3", "Body 3")
	for name, c := range map[string]struct {
		change func(o *ReshareOrder)
		want   string
	}{
		"a refresh":                   {func(*ReshareOrder) {}, ""},
		"another holder":              {replace(func(*opening.Holder) {}), ""},
		"other dealers":               {func(o *ReshareOrder) { o.Dealers = []int{1, 3} }, ""},
		"another pool":                {func(o *ReshareOrder) { o.Pool = "other" }, "another pool or epoch"},
		"another epoch":               {func(o *ReshareOrder) { o.Epoch = "2025-11" }, "another pool or epoch"},
		"a generation left out":       {func(o *ReshareOrder) { o.Generation = 2 }, "does not follow"},
		"after another record":        {func(o *ReshareOrder) { o.Previous[0] ^= 1 }, "does not follow"},
		"no attempt":                  {func(o *ReshareOrder) { o.Attempt = 0 }, "an attempt of"},
		"the last attempt":            {func(o *ReshareOrder) { o.Attempt = maxAttempts }, ""},
		"one attempt more":            {func(o *ReshareOrder) { o.Attempt = maxAttempts + 1 }, "an attempt of"},
		"a long reason":               {func(o *ReshareOrder) { o.Reason = strings.Repeat("x", maxReason) }, ""},
		"a longer one":                {func(o *ReshareOrder) { o.Reason = strings.Repeat("x", maxReason+1) }, "a reason of"},
		"not valid at all":            {func(o *ReshareOrder) { o.Expires = o.Issued }, "not at all"},
		"valid for a moment":          {func(o *ReshareOrder) { o.Expires = o.Issued + 1 }, ""},
		"valid for 30 days":           {func(o *ReshareOrder) { o.Expires = o.Issued + life }, ""},
		"valid for longer":            {func(o *ReshareOrder) { o.Expires = o.Issued + life + 1 }, "more than 30 days"},
		"a dealer before the first":   {func(o *ReshareOrder) { o.Dealers = []int{0, 2} }, "dealer 0"},
		"a dealer after the last":     {func(o *ReshareOrder) { o.Dealers = []int{1, 4} }, "dealer 4"},
		"one dealer":                  {func(o *ReshareOrder) { o.Dealers = []int{1} }, "exactly 2"},
		"a holder without a name":     {replace(func(h *opening.Holder) { h.ID = "" }), "needs an id"},
		"a holder of nobody":          {replace(func(h *opening.Holder) { h.Entity = "" }), "needs an id"},
		"a holder nowhere":            {replace(func(h *opening.Holder) { h.URL = "" }), "needs an id"},
		"a holder that sees nothing":  {replace(func(h *opening.Holder) { h.Witness = nil }), "needs an id"},
		"the operator's":              {replace(func(h *opening.Holder) { h.Entity = "Operator" }), "the hub operator"},
		"two of a body":               {replace(func(h *opening.Holder) { h.Entity = "Body 1" }), "no two shares"},
		"a name twice":                {replace(func(h *opening.Holder) { h.ID = "holder-1" }), "taken"},
		"one key for two uses":        {replace(func(h *opening.Holder) { h.Witness = h.Key }), "taken"},
		"the hub's name":              {replace(func(h *opening.Holder) { h.ID = "hub" }), "taken"},
		"the log's name":              {replace(func(h *opening.Holder) { h.ID = "log" }), "taken"},
		"the hub's key":               {replace(func(h *opening.Holder) { h.Key = public(vectorKey("hub")) }), "taken"},
		"the log's key":               {replace(func(h *opening.Holder) { h.Witness = public(vectorKey("log")) }), "taken"},
		"a governor's key":            {replace(func(h *opening.Holder) { h.Key = public(vectorKey("gov-0")) }), "taken"},
		"an old key, another name":    {replace(func(h *opening.Holder) { h.Entity, h.Key = old.Entity, old.Key }), "of another body"},
		"an old witness":              {replace(func(h *opening.Holder) { h.Entity, h.Witness = old.Entity, old.Witness }), "of another body"},
		"an old sealing key":          {replace(func(h *opening.Holder) { h.Entity, h.HPKE = old.Entity, old.HPKE }), "of another body"},
		"an old name, another body":   {replace(func(h *opening.Holder) { h.ID = old.ID }), "of another body"},
		"an old holder, another body": {func(o *ReshareOrder) { o.Holders[2].Entity = "Body 4" }, "of another body"},
		"new keys of the same":        {replace(func(h *opening.Holder) { h.ID, h.Entity = old.ID, old.Entity }), ""},
		"places changed": {func(o *ReshareOrder) {
			o.Holders[0], o.Holders[1] = o.Holders[1], o.Holders[0]
			o.Holders[0].Index, o.Holders[1].Index = 1, 2
		}, "must keep place"},
	} {
		s, o := dealt(t)
		c.change(&o)
		run, err := s.Run(o, opening.Hash{1})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (len(run.From) != 2 || len(run.To) != 3 || run.Number != o.Attempt) {
			t.Errorf("%s: %+v", name, run)
		}
	}
}

// An order counts by the quorum's signatures over exactly its bytes.
func TestOrdersAreTheQuorums(t *testing.T) {
	s, o := dealt(t)
	so, err := SignOrder(o)
	if err != nil {
		t.Fatal(err)
	}
	so.Add("gov-1", vectorKey("gov-0"))
	if _, err := so.Open(s.Plan.Governance); err == nil {
		t.Error("one governor's order was opened")
	}
	so.Add("gov-2", vectorKey("gov-1"))
	if got, err := so.Open(s.Plan.Governance); err != nil || got.Generation != 1 || got.Previous != o.Previous {
		t.Errorf("two governors': %+v, %v", got, err)
	}
	odd := SignedOrder{Body: []byte(`{"pool":1}`)}
	odd.Add("gov-1", vectorKey("gov-0"))
	odd.Add("gov-2", vectorKey("gov-1"))
	if _, err := odd.Open(s.Plan.Governance); err == nil {
		t.Error("what is no order was opened")
	}
}

// Only the very same holders under the same threshold are a refresh.
func TestARefreshChangesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *ReshareOrder)
		want   bool
	}{
		"a refresh":         {func(*ReshareOrder) {}, true},
		"another threshold": {func(o *ReshareOrder) { o.T = 3 }, false},
		"another number":    {func(o *ReshareOrder) { o.N = 4 }, false},
		"another holder":    {func(o *ReshareOrder) { o.Holders[2] = card(3, "holder-4", "Body 4") }, false},
		"another address":   {func(o *ReshareOrder) { o.Holders[2].URL += "/" }, false},
	} {
		s, o := dealt(t)
		c.change(&o)
		if s.SameCommittee(o) != c.want {
			t.Errorf("%s: want %t", name, c.want)
		}
	}
}

// policy is a manifest of the setup's pool.
func policy(s Setup) opening.Manifest {
	rule := opening.DefaultRule()
	return opening.Manifest{Version: 1, Pool: "pool", Epoch: "2026-11", Issued: issued, Demo: true, Transcript: s.Transcript.Hash(),
		Hub: s.Plan.Hub, Holders: slices.Clone(s.Plan.Holders), Quorum: 2, Authority: opening.Authority{ID: "police", Entity: "Police", HPKE: seeded32("police")},
		Classes: []opening.ClassRule{{Class: "email", RuleVersion: 1, DailyBudget: 256}},
		Members: []opening.Member{{ID: "bank", Entity: "Bank", Sector: "bank", Key: public(vectorKey("bank")), Admitted: issued, Status: opening.Active}},
		Approvers: []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority, Key: public(vectorKey("officer"))},
			{ID: "overseer", Entity: "Oversight", Role: opening.RoleOversight, Key: public(vectorKey("overseer"))}},
		LegalBases: []opening.LegalBasis{{ID: "basis", Purpose: "investigation", Recipient: "police", From: issued, To: issued + 1}},
		Rules:      []opening.Rule{rule}, CurrentRule: rule.Hash(), Delays: opening.Delays{OpenSeconds: 3600, ReleaseEvery: 1800}}
}

// Under a manifest no share comes to the authority, a member or an approver.
func TestOrdersUnderAManifest(t *testing.T) {
	s, o := dealt(t)
	m := policy(s)
	if err := o.Under(m); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(h *opening.Holder)
		want   string
	}{
		"the authority's":              {func(h *opening.Holder) { h.Entity = "Police" }, "under the policy in force"},
		"with the authority's key":     {func(h *opening.Holder) { h.HPKE = m.Authority.HPKE }, "key of the authority"},
		"with a member's key":          {func(h *opening.Holder) { h.Key = m.Members[0].Key }, "key of member"},
		"witnessing as a member":       {func(h *opening.Holder) { h.Witness = m.Members[0].Key }, "key of member"},
		"with an approver's key":       {func(h *opening.Holder) { h.Key = m.Approvers[1].Key }, "key of approver"},
		"witnessing as an approver":    {func(h *opening.Holder) { h.Witness = m.Approvers[1].Key }, "key of approver"},
		"a key that is nobody's there": {func(h *opening.Holder) { h.Key = public(vectorKey("else")) }, ""},
	} {
		_, o := dealt(t)
		c.change(&o.Holders[2])
		if err := o.Under(m); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A manifest is of this pool, ceremony and hub or of none, and lists those who
// hold the shares, key by key.
func TestManifestsBelongToTheCeremony(t *testing.T) {
	s, o := dealt(t)
	other := public(vectorKey("else"))
	for name, change := range map[string]func(m *opening.Manifest){
		"another pool":              func(m *opening.Manifest) { m.Pool = "other" },
		"another epoch":             func(m *opening.Manifest) { m.Epoch = "2025-11" },
		"another ceremony":          func(m *opening.Manifest) { m.Transcript[0] ^= 1 },
		"another hub":               func(m *opening.Manifest) { m.Hub.ID = "hub-2" },
		"a hub of another body":     func(m *opening.Manifest) { m.Hub.Entity = "Else" },
		"another key of the hub":    func(m *opening.Manifest) { m.Hub.Key = other },
		"another log":               func(m *opening.Manifest) { m.Hub.LogOrigin = "log-2" },
		"another key of the log":    func(m *opening.Manifest) { m.Hub.LogKey = other },
		"another quorum":            func(m *opening.Manifest) { m.Quorum = 3 },
		"a holder fewer":            func(m *opening.Manifest) { m.Holders = m.Holders[:2] },
		"another holder's name":     func(m *opening.Manifest) { m.Holders[1].ID = "else" },
		"a holder of another body":  func(m *opening.Manifest) { m.Holders[1].Entity = "Else" },
		"another holder's key":      func(m *opening.Manifest) { m.Holders[1].Key = other },
		"another witness":           func(m *opening.Manifest) { m.Holders[1].Witness = other },
		"another holder's HPKE key": func(m *opening.Manifest) { m.Holders[1].HPKE = seeded32("else") },
	} {
		m := policy(s)
		change(&m)
		if _, err := s.Belongs(m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	m := policy(s)
	m.Holders[1].URL = "http://moved.test"
	got, err := s.Belongs(m)
	if err != nil || got.Holders[1].URL != "http://moved.test" || got.Generation != 0 {
		t.Fatalf("who has moved: %+v, %v", got.Holders, err)
	}

	// After a resharing, a manifest that lists the holders of before has those of
	// now; one that lists those of now stays as it is.
	o.Holders[2] = card(3, "holder-4", "Body 4")
	s.Reshares = []Reshare{reshared(t, o)}
	if got, err = s.Belongs(m); err != nil || got.Generation != 1 || got.Holders[2].ID != "holder-4" || got.Holders[1].URL == "http://moved.test" {
		t.Errorf("a manifest of before: %+v, %v", got.Holders, err)
	}
	m.Holders[2] = o.Holders[2]
	if got, err = s.Belongs(m); err != nil || got.Generation != 1 || got.Holders[1].URL != "http://moved.test" {
		t.Errorf("a manifest of now: %+v, %v", got.Holders, err)
	}
	m.Authority.Entity = "Body 4"
	m.Approvers[0].Entity = "Body 4"
	m.Holders = slices.Clone(s.Plan.Holders)
	if _, err = s.Belongs(m); err == nil {
		t.Error("a share came to the authority of a manifest of before")
	}
	m.Holders[2] = card(3, "holder-5", "Body 5")
	if _, err = s.Belongs(m); err == nil {
		t.Error("a manifest of holders that never were was taken")
	}
}

func reshared(t *testing.T, o ReshareOrder) Reshare {
	t.Helper()
	so, err := SignOrder(o)
	if err != nil {
		t.Fatal(err)
	}
	return Reshare{Order: so, Record: dkg.Reshared{Run: dkg.Resharing{Number: o.Attempt, Context: bytes.Repeat([]byte{byte(o.Attempt)}, 32)}}}
}

// Key shares go forward: fewer generations than were seen are older ones, other
// records are a fork, more are news.
func TestGenerationsFollow(t *testing.T) {
	s, o := dealt(t)
	first := reshared(t, o)
	o.Attempt = 2
	second := reshared(t, o)
	with := func(list ...Reshare) Setup { return Setup{Plan: s.Plan, Transcript: s.Transcript, Reshares: list} }
	for name, c := range map[string]struct {
		seen, next Setup
		want       error
	}{
		"none yet":  {with(), with(), nil},
		"the first": {with(), with(first), nil},
		"the same":  {with(first), with(first), nil},
		"one more":  {with(first), with(first, second), nil},
		"one fewer": {with(first, second), with(first), ErrOlder},
		"another":   {with(first), with(second), ErrForked},
	} {
		if err := c.seen.Follows(c.next); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// The key that a new holder makes for a run is its own, for this order and place.
func TestOrdersTakeTheHoldersOwnKeys(t *testing.T) {
	s, o := dealt(t)
	digest := opening.Hash{1}
	good := RunKey{Order: digest, Index: 1, HPKE: seeded32("run")}
	for name, c := range map[string]struct {
		change  func(k *RunKey)
		as, key string
		index   int
		want    bool
	}{
		"in order":             {func(*RunKey) {}, "holder-1", "holder-1", 1, true},
		"another's signature":  {func(*RunKey) {}, "holder-1", "holder-2", 1, false},
		"under another's name": {func(*RunKey) {}, "holder-2", "holder-1", 1, false},
		"for another order":    {func(k *RunKey) { k.Order[0] ^= 2 }, "holder-1", "holder-1", 1, false},
		"for another place":    {func(k *RunKey) { k.Index = 2 }, "holder-1", "holder-1", 1, false},
		"of no size":           {func(k *RunKey) { k.HPKE = k.HPKE[:31] }, "holder-1", "holder-1", 1, false},
		"before the first":     {func(*RunKey) {}, "holder-1", "holder-1", 0, false},
		"of the last":          {func(k *RunKey) { k.Index = 3 }, "holder-3", "holder-3", 3, true},
		"after the last":       {func(*RunKey) {}, "holder-1", "holder-1", 4, false},
	} {
		k := good
		c.change(&k)
		obj, err := signed.Sign(RunKeyDomain, c.as, vectorKey(c.key), k)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CheckKey(o, digest, c.index, obj); (err == nil) != c.want {
			t.Errorf("%s: %v, want taken %t", name, err, c.want)
		}
	}
	obj, err := signed.Sign(RunKeyDomain, "holder-1", vectorKey("holder-1"), good)
	if err != nil {
		t.Fatal(err)
	}
	o.Pool = "other"
	if err := s.CheckKey(o, digest, 1, obj); err == nil {
		t.Error("a key for an order that does not count was taken")
	}
}
