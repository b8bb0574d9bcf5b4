package opening

import (
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/seal"
	"parallax/signed"
)

var day0 = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func seed(name string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%-32s", name)))
}

func pubOf(name string) ed25519.PublicKey { return seed(name).Public().(ed25519.PublicKey) }

// people gives a pool in which "police" is member and approver at once.
func people() (Manifest, Governance) {
	return Manifest{Pool: "pool", Members: []Member{{ID: "bank", Key: pubOf("bank"), Status: Active}, {ID: "police", Key: pubOf("police"), Status: Active}},
			Approvers: []Approver{{ID: "police", Role: RoleAuthority, Key: pubOf("police")}, {ID: "overseer", Role: RoleOversight, Key: pubOf("overseer")}}},
		Governance{Threshold: 1, Governors: []Governor{{ID: "gov", Key: pubOf("gov")}}}
}

// Who may sign which correction, exhaustively: 0 differences from the sentence
// "a member its own, an approver any, only its contributor replaces, only
// governance thaws".
func TestWhoMayCorrect(t *testing.T) {
	m, g := people()
	label := seal.Label{1}
	for _, kind := range []string{DenyFreeze, DenyUphold, DenyAmend, DenyRevoke, DenyThaw} {
		for _, author := range []string{"bank", "police", "overseer", "gov", "nobody"} {
			for _, member := range []string{"", "bank", "police"} {
				for _, names := range []string{author, "", "bank"} {
					d := Denial{Kind: kind, Pool: "pool", Labels: []seal.Label{label}, Member: member, Author: names, Reason: "r"}
					if kind == DenyAmend {
						d.Instead = []seal.Label{{2}}
					}
					o, err := signed.Sign(DenialDomain, author, seed(author), d)
					if err != nil {
						t.Fatal(err)
					}
					own := (author == "bank" || author == "police") && member == author && kind != DenyThaw
					any := (author == "police" || author == "overseer") && member == "" && kind != DenyThaw && kind != DenyAmend
					want := names == author && (own || any || author == "gov" && member == "" && kind == DenyThaw)
					if _, err := OpenDenial(m, g, o); (err == nil) != want {
						t.Errorf("%s by %s of %q naming %q: %v, want allowed %t", kind, author, member, names, err, want)
					}
				}
			}
		}
	}
	if err := openDenial(t, m, g, Denial{Kind: DenyFreeze, Pool: "pool", Labels: make([]seal.Label, MaxCorrected), Member: "bank", Author: "bank"}, "bank"); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	for name, d := range map[string]Denial{
		"nothing":            {Kind: DenyFreeze},
		"too many":           {Kind: DenyFreeze, Labels: make([]seal.Label, MaxCorrected+1)},
		"its own place":      {Kind: DenyAmend, Labels: []seal.Label{label}, Instead: []seal.Label{label}},
		"replaces by none":   {Kind: DenyAmend, Labels: []seal.Label{label}},
		"revoke and replace": {Kind: DenyRevoke, Labels: []seal.Label{label}, Instead: []seal.Label{{2}}},
		"another pool":       {Kind: DenyFreeze, Labels: []seal.Label{label}, Pool: "other"},
	} {
		d.Member, d.Author = "bank", "bank"
		if d.Pool == "" {
			d.Pool = "pool"
		}
		o, err := signed.Sign(DenialDomain, "bank", seed("bank"), d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDenial(m, g, o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A freeze stops its observation and no other, and is never lifted silently:
// not by somebody else, not by time, not by its author after 30 days.
func TestAFreezeIsNeverLiftedSilently(t *testing.T) {
	a, b := seal.Label{1}, seal.Label{2}
	act := func(kind, member, author string, at time.Time) Denial {
		return Denial{Kind: kind, Pool: "pool", Labels: []seal.Label{a}, Member: member, Author: author, Time: at.UnixMicro()}
	}
	var d Denials
	d.Apply(act(DenyFreeze, "bank", "bank", day0), "")
	d.Apply(act(DenyFreeze, "", "police", day0.Add(time.Hour)), "")
	if !d.Forbids("bank", a) || d.Forbids("bank", b) || d.Halted() {
		t.Fatal("a freeze concerns its own observation only")
	}
	if d.Refuses(act(DenyUphold, "", "overseer", day0.Add(2*time.Hour)), day0.Add(2*time.Hour)) == nil {
		t.Error("who did not freeze lifts it")
	}
	at := day0.Add(3 * time.Hour)
	for _, late := range []time.Duration{0, upholdFresh} {
		if err := d.Refuses(act(DenyUphold, "bank", "bank", at), at.Add(late)); err != nil {
			t.Fatal(err)
		}
	}
	if d.Refuses(act(DenyUphold, "bank", "bank", at), at.Add(upholdFresh+time.Microsecond)) == nil {
		t.Error("a decision of yesterday is taken")
	}
	d.Apply(act(DenyUphold, "bank", "bank", at), "")
	if list := d.Frozen("bank", a, at); len(list) != 1 || list[0].Author != "police" || list[0].Escalated || !d.Forbids("bank", a) {
		t.Fatalf("the other freeze stands: %+v", list)
	}
	late := day0.Add(time.Hour + FreezeLife + time.Second)
	if list := d.Frozen("bank", a, late); len(list) != 1 || !list[0].Escalated || !d.Forbids("bank", a) {
		t.Fatalf("after 30 days: %+v", list)
	}
	if frozen, escalated := d.FrozenCount(late); frozen != 1 || escalated != 1 {
		t.Errorf("%d frozen, %d escalated", frozen, escalated)
	}
	for _, signed := range []time.Time{late, day0.Add(FreezeLife)} { // in time, as it says, but not shown in time
		if d.Refuses(act(DenyUphold, "", "police", signed), late.Add(25*time.Hour)) == nil {
			t.Error("a late decision is taken")
		}
	}
	d.Apply(act(DenyUphold, "", "police", late), "")
	if !d.Forbids("bank", a) {
		t.Error("a late decision counts where it was kept")
	}
	d.Apply(act(DenyThaw, "", "gov", late), "")
	if d.Forbids("bank", a) {
		t.Error("governance could not lift it")
	}
	d.Apply(act(DenyRevoke, "", "police", late), "")
	d.Apply(act(DenyThaw, "", "gov", late), "")
	if !d.Forbids("bank", a) || d.Refuses(act(DenyFreeze, "", "police", late.Add(48*time.Hour)), late) == nil {
		t.Error("what was revoked came back, or a date in the future is taken")
	}
}

// A freeze counts from the earliest word for it, and may be decided until it is
// 30 days old.
func TestAFreezeLastsFromItsFirstWord(t *testing.T) {
	label := seal.Label{1}
	freeze := func(at time.Time) Denial {
		return Denial{Kind: DenyFreeze, Author: "police", Labels: []seal.Label{label}, Time: at.UnixMicro()}
	}
	var d Denials
	for _, hours := range []time.Duration{2, 1, 3} {
		d.Apply(freeze(day0.Add(hours*time.Hour)), "")
	}
	first := day0.Add(time.Hour)
	if list := d.Frozen("bank", label, first); len(list) != 1 || !list[0].Since.Equal(first) {
		t.Fatalf("%+v", list)
	}
	end := first.Add(FreezeLife)
	uphold := freeze(end)
	uphold.Kind = DenyUphold
	if err := d.Refuses(uphold, end); err != nil {
		t.Error(err)
	}
	if d.Refuses(uphold, end.Add(time.Microsecond)) == nil {
		t.Error("a decision after 30 days is taken")
	}
	other := freeze(first)
	other.Labels = []seal.Label{{2}}
	d.Apply(other, "")
	d.Apply(uphold, "")
	if d.Forbids("bank", label) || !d.Forbids("bank", seal.Label{2}) {
		t.Error("a decision of the last moment lifts its own freeze and no other")
	}
	d.Apply(freeze(first), "")
	other.Kind = DenyThaw
	d.Apply(other, "")
	if !d.Forbids("bank", label) || d.Forbids("bank", seal.Label{2}) {
		t.Error("a thaw lifts the freezes of its own observation and no other")
	}
}

// Whatever comes in whatever order: an observation is free only if every freeze
// of it was upheld by its author in time or thawed, and nothing revoked it.
func TestFreezesAgainstAReference(t *testing.T) {
	authors := []string{"bank", "police", "overseer"}
	rapid.Check(t, func(t *rapid.T) {
		var d Denials
		since, gone := map[string]time.Time{}, false
		now, label := day0, seal.Label{7}
		for range rapid.IntRange(1, 12).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20*24).Draw(t, "hours")) * time.Hour)
			x := Denial{Kind: rapid.SampledFrom([]string{DenyFreeze, DenyUphold, DenyRevoke, DenyThaw, DenyUphold}).Draw(t, "kind"),
				Author: rapid.SampledFrom(authors).Draw(t, "author"), Labels: []seal.Label{label}, Time: now.UnixMicro()}
			if x.Author == "bank" {
				x.Member = "bank"
			}
			if d.Refuses(x, now) != nil {
				continue
			}
			d.Apply(x, "")
			at, had := since[x.Author]
			switch x.Kind {
			case DenyFreeze:
				if !had {
					since[x.Author] = now
				}
			case DenyUphold:
				if had && now.Sub(at) <= FreezeLife {
					delete(since, x.Author)
				}
			case DenyRevoke:
				gone = true
			case DenyThaw:
				clear(since)
			}
			if d.Forbids("bank", label) != (gone || len(since) > 0) {
				t.Fatalf("after %s by %s: forbids %t, want %t", x.Kind, x.Author, d.Forbids("bank", label), gone || len(since) > 0)
			}
		}
	})
}
