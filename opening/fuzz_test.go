package opening

import (
	"testing"
	"time"

	"parallax/signed"
)

// FuzzManifest reads a manifest as a member of the public may send it. What
// passes has one spelling, and every question about it has an answer.
func FuzzManifest(f *testing.F) {
	raw, err := signed.Marshal(Manifest{Version: 1, Pool: "p", Epoch: "2026-11"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"version":1,"version":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m Manifest
		if signed.Unmarshal(raw, &m) != nil {
			return
		}
		if again, err := signed.Marshal(m); err != nil || string(again) != string(raw) {
			t.Fatalf("%q is a second spelling of %q", raw, again)
		}
		_ = m.Check()
		m.Member("x")
		m.Approver("x")
		m.AdmittedEntity("x")
		m.HolderWitnesses()
	})
}

// FuzzOpenSigned hands strangers' objects to everything that opens one.
func FuzzOpenSigned(f *testing.F) {
	f.Add("gov-1", []byte(`{}`), []byte("sig"))
	f.Add("", []byte(`{"kind":"halt","pool":"p"}`), make([]byte, 64))
	f.Fuzz(func(t *testing.T, key string, body, signature []byte) {
		o := signed.Object{Key: key, Body: body, Sig: signature}
		m := Manifest{Pool: "p", Epoch: "2026-11", Version: 1}
		now := time.Unix(1_800_000_000, 0)
		if _, err := OpenDenial(m, Governance{}, o); err == nil {
			t.Error("a denial by nobody was taken")
		}
		if _, _, err := OpenRequest(m, o, now); err == nil {
			t.Error("a request by nobody was taken")
		}
		if _, err := OpenApproval(m, o, Hash{}, now); err == nil {
			t.Error("an approval by nobody was taken")
		}
		_, _, _ = OpenAct(m, body) // an act is unsigned; approvals carry the signatures
		if _, _, err := OpenActApproval(m, o, Act{}, Hash{}); err == nil {
			t.Error("an approval of an act by nobody was taken")
		}
	})
}
