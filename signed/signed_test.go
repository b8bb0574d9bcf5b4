package signed

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type thing struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+b%26)), 32)))
}

func pub(b byte) ed25519.PublicKey { return key(b).Public().(ed25519.PublicKey) }

func TestUnmarshalTakesOnlyCanonicalBytes(t *testing.T) {
	for _, raw := range []string{
		`{"count":1,"name":"a"}`, `{"name":"a","count":1} `, ` {"name":"a","count":1}`,
		`{"name":"a","count":1,"more":2}`, `{"name":"a","name":"a","count":1}`, `{"name":"a"}`,
		`{"NAME":"a","count":1}`, `{"name":"\u0061","count":1}`, `{"name":"a","count":1}{}`, `{"name":"a","count":1e0}`,
		`{"name":"` + "\xff" + `","count":1}`,
	} {
		var v thing
		if err := Unmarshal([]byte(raw), &v); err == nil {
			t.Errorf("%s: accepted", raw)
		}
	}
	var v thing
	if err := Unmarshal([]byte(`{"name":"<a>","count":1}`), &v); err != nil || v.Name != "<a>" {
		t.Errorf("canonical bytes refused: %v", err)
	}
}

func TestSignAndOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := thing{rapid.String().Draw(t, "name"), rapid.Int().Draw(t, "count")}
		o, err := Sign("d", "k", key(1), in)
		if err != nil {
			t.Fatal(err)
		}
		var out thing
		if err := o.Open("d", pub(1), &out); err != nil || out != in {
			t.Fatalf("got %+v, %v", out, err)
		}
		if err := o.Open("e", pub(1), &out); !errors.Is(err, ErrSignature) {
			t.Fatalf("another domain: %v", err)
		}
		if err := o.Open("d", pub(2), &out); !errors.Is(err, ErrSignature) {
			t.Fatalf("another key: %v", err)
		}
		o.Body[rapid.IntRange(0, len(o.Body)-1).Draw(t, "at")] ^= 1
		if err := o.Open("d", pub(1), &out); !errors.Is(err, ErrSignature) {
			t.Fatalf("changed body: %v", err)
		}
	})
}

func TestMessageIsForOneReceiverPathAndTime(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	o, err := NewMessage("hub", "bank", "/v1/x", []byte("{}"), key(1), now, strings.NewReader(strings.Repeat("n", 16)))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := o.OpenMessage("hub", "/v1/x", pub(1), now.Add(Window)); err != nil || string(m.Body) != "{}" || m.Sender != "bank" {
		t.Fatalf("refused: %v", err)
	}
	for name, c := range map[string]struct {
		audience, path string
		at             time.Time
		want           error
	}{
		"another receiver":  {"holder", "/v1/x", now, ErrAudience},
		"another path":      {"hub", "/v1/y", now, ErrAudience},
		"an hour later":     {"hub", "/v1/x", now.Add(time.Hour), ErrClock},
		"an hour too early": {"hub", "/v1/x", now.Add(-time.Hour), ErrClock},
	} {
		if _, err := o.OpenMessage(c.audience, c.path, pub(1), c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	_, err = o.OpenMessage("hub", "/v1/x", pub(1), now.Add(time.Hour))
	if err == nil || !strings.Contains(err.Error(), "1h0m0s") {
		t.Errorf("the error must say how far the clock is off: %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"name":"a","count":1}`))
	f.Add([]byte(`{"name":"a","name":"b","count":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v thing
		if Unmarshal(raw, &v) != nil {
			return
		}
		again, err := Marshal(v)
		if err != nil || string(again) != string(raw) {
			t.Fatalf("accepted %q, which encodes as %q", raw, again)
		}
	})
}
