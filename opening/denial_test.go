package opening

import (
	"testing"
	"time"

	"parallax/seal"
	"parallax/signed"
)

// Who may stop what: members withdraw their own, approvers and governors halt,
// governors alone suspend and lift.
func TestWhoMayStop(t *testing.T) {
	m, g := people()
	label := []seal.Label{{1}}
	for _, kind := range []string{DenyWithdraw, DenySuspend, DenyHalt, DenyResume, "else"} {
		for _, author := range []string{"bank", "police", "overseer", "gov", "nobody"} {
			for _, member := range []string{"", "bank"} {
				d := Denial{Kind: kind, Pool: "pool", Member: member, Labels: label}
				want := kind == DenyWithdraw && author == member ||
					kind == DenyHalt && (author == "police" || author == "overseer" || author == "gov") ||
					(kind == DenySuspend || kind == DenyResume) && author == "gov"
				if err := openDenial(t, m, g, d, author); (err == nil) != want {
					t.Errorf("%s of %q by %s: %v, want allowed %t", kind, member, author, err, want)
				}
			}
		}
	}
	for name, d := range map[string]Denial{
		"nothing":            {Kind: DenyWithdraw, Pool: "pool", Member: "bank"},
		"of another pool":    {Kind: DenyWithdraw, Pool: "other", Member: "bank", Labels: label},
		"with an author":     {Kind: DenyWithdraw, Pool: "pool", Member: "bank", Labels: label, Author: "bank"},
		"with a replacement": {Kind: DenyWithdraw, Pool: "pool", Member: "bank", Labels: label, Instead: []seal.Label{{2}}},
	} {
		if err := openDenial(t, m, g, d, "bank"); err == nil {
			t.Errorf("a withdrawal %s was taken", name)
		}
	}
	forged, err := signed.Sign(DenialDomain, "gov", seed("bank"), Denial{Kind: DenyHalt, Pool: "pool"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDenial(m, g, forged); err == nil {
		t.Error("another key signed for a governor")
	}
	// Under one id with two keys it speaks as whoever the first key is.
	m.Members = append(m.Members, Member{ID: "overseer", Key: pubOf("bank"), Status: Active})
	if err := openDenial(t, m, g, Denial{Kind: DenyHalt, Pool: "pool"}, "overseer"); err == nil {
		t.Error("an approver's right by a member's id")
	}
	if g.Governors[0].Entity = "Ministry"; g.Entity("gov") != "Ministry" || g.Entity("bank") != "" {
		t.Error("a governor's controlling entity")
	}
}

func openDenial(t *testing.T, m Manifest, g Governance, d Denial, author string) error {
	t.Helper()
	o, err := signed.Sign(DenialDomain, author, seed(author), d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenDenial(m, g, o)
	if err == nil && got.Kind != d.Kind {
		t.Errorf("opened %+v", got)
	}
	return err
}

// One stops; two of different bodies, after the stop, start again. A member's
// suspension and a halt of everything do not stand for one another.
func TestStopsAreLiftedByTwo(t *testing.T) {
	for _, target := range []string{"", "bank"} {
		kind := DenyHalt
		if target != "" {
			kind = DenySuspend
		}
		var d Denials
		stands := func() bool {
			if target == "" {
				return d.Halted()
			}
			return d.Suspended(target)
		}
		act := func(kind string, minutes int, entity string) {
			x := Denial{Kind: kind, Member: target, Time: day0.Add(time.Duration(minutes) * time.Minute).UnixMicro()}
			if kind == DenyResume {
				s := d.stops[target]
				if late := s != nil && x.Time <= s.since; d.outdated(x) != late || (d.Refuses(x, day0.Add(time.Hour)) != nil) != late {
					t.Errorf("%q: a lift at %d is outdated: %t", target, minutes, !late)
				}
			} else if d.outdated(x) {
				t.Errorf("%q: what stops is outdated", target)
			}
			d.Apply(x, entity)
		}
		act(DenyResume, 0, "A") // nothing to lift
		act(kind, 10, "A")
		if !stands() || d.Suspended("other") || d.Suspended("") || d.Halted() != (target == "") || d.Forbids("other", seal.Label{1}) || d.Forbids("bank", seal.Label{1}) != (target == "bank") {
			t.Errorf("%q: what is stopped", target)
		}
		act(kind, 5, "A") // an older one does not make it older
		act(DenyResume, 10, "A")
		act(DenyResume, 10, "B")
		act(DenyResume, 11, "")
		act(DenyResume, 11, "A")
		act(DenyResume, 12, "A")
		if !stands() {
			t.Fatalf("%q: lifted too early, by none or by one body", target)
		}
		act(kind, 20, "A")
		act(DenyResume, 21, "B")
		if !stands() {
			t.Fatalf("%q: what lifted the first stop counts for the second", target)
		}
		act(DenyResume, 22, "A")
		if stands() {
			t.Fatalf("%q: two bodies did not lift it", target)
		}
	}
}

// A member's withdrawal reaches its own observation, a word without a member
// everybody's.
func TestWithdrawalForbids(t *testing.T) {
	a, b := seal.Label{1}, seal.Label{2}
	for _, kind := range []string{DenyWithdraw, DenyRevoke, DenyFreeze} {
		for _, member := range []string{"bank", ""} {
			var d Denials
			if d.Forbids("bank", a) {
				t.Error("the zero value forbids")
			}
			d.Apply(Denial{Kind: kind, Member: member, Author: "x", Labels: []seal.Label{a}, Time: day0.UnixMicro()}, "")
			if !d.Forbids("bank", a) || d.Forbids("bank", b) || d.Forbids("other", a) != (member == "") {
				t.Errorf("%s of %q reaches another's", kind, member)
			}
			d.Apply(Denial{Kind: DenyWithdraw, Member: "else", Labels: []seal.Label{b}}, "") // keeps what came before
			if !d.Forbids("bank", a) {
				t.Errorf("%s of %q is forgotten", kind, member)
			}
		}
	}
}
