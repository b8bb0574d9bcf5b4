package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
)

// One holder alone waits, ends the attempt and names who was away; then all
// three, as processes, make the next one under the same plan.
func TestAnAbortedCeremonyRunsAgain(t *testing.T) {
	t.Parallel()
	s, plan, file, _ := found(t)
	board := client.NewBoard(plan.Hub.URL, plan.Pool, plan.Epoch, http.DefaultClient)
	s.refuse(1, "silent in round 1", "keyholder", "ceremony", "--dir", s.path("holder-2"), "--plan", file, "--timeout", "5s")
	st, err := board.State(context.Background())
	s.must(err)
	if st.Attempt != 2 || st.Done {
		t.Fatalf("after the end of attempt 1: %+v", st)
	}
	s.ceremony(plan, file)
	if st, err = board.State(context.Background()); err != nil || !st.Done || st.Attempt != 2 {
		t.Errorf("after the ceremony: %+v, %v", st, err)
	}
	s.refuse(1, "there already", "keyholder", "ceremony", "--dir", s.path("holder-2"), "--plan", file, "--timeout", "5s")
}

// evidence is what honest holders keep of holder 1, who signed two first
// messages.
func evidence(t *testing.T) client.CeremonyEvidence {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		must(err)
		return k
	}
	public := func(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }
	hub, liar := key(), key()
	plan := client.Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email},
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: public(key())}, {ID: "gov-2", Entity: "Court", Key: public(key())}}},
		Hub:        opening.Operator{ID: "hub", Entity: "Operator", Key: public(hub), LogOrigin: "log", LogKey: public(hub)}}
	var private []byte
	for i := range 3 {
		sign := liar
		if i > 0 {
			sign = key()
		}
		sk, pk, err := seal.GenerateHPKE()
		must(err)
		if i == 0 {
			private = sk
		}
		plan.Holders = append(plan.Holders, opening.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), Entity: fmt.Sprint("Body ", i+1), Key: public(sign), HPKE: pk})
	}
	params, err := plan.Attempt(1)
	must(err)
	e := client.CeremonyEvidence{Plan: plan, Equivocation: dkg.Equivocation{Params: params}}
	for _, m := range []*[]byte{&e.Equivocation.First, &e.Equivocation.Second} {
		p, err := dkg.New(params, 1, liar, private, rand.Reader)
		must(err)
		*m, err = p.Round1()
		must(err)
	}
	return e
}

func TestVerifyEvidenceOfTwoFaces(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, dir: t.TempDir()}
	e := evidence(t)
	file := s.write("two.json", e)
	if out := s.do("verify", file); !strings.Contains(out, "holder-1") || !strings.Contains(out, "two different messages in round 1") {
		t.Errorf("says %q", out)
	}
	var got struct{ Holder, Plan string }
	s.must(json.Unmarshal([]byte(s.do("verify", "--json", file)), &got))
	digest, err := e.Plan.Digest()
	s.must(err)
	if got.Holder != "holder-1" || got.Plan != digest.String() {
		t.Errorf("says %+v", got)
	}
	e.Equivocation.Second = e.Equivocation.First
	s.refuse(2, "shows nothing", "verify", s.write("one.json", e))
	s.refuse(2, "plan's digest", "verify", "--pin", strings.Repeat("00", 32), file)
	raw, err := os.ReadFile(file)
	s.must(err)
	s.must(os.WriteFile(s.path("changed.json"), []byte(strings.Replace(string(raw), `"2026-11"`, `"2027-11"`, 1)), 0o600))
	s.refuse(2, "another plan", "verify", s.path("changed.json"))
}
