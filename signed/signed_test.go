package signed

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
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

// One value has one text: whatever decodes encodes as it was.
func FuzzText(f *testing.F) {
	f.Add("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", true)
	f.Add("47DEQpj8HBSa+/TImW+5\nJCeuQeRkm5NMpJWZG3hSuFU=", true)
	f.Add("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", true)
	f.Add("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", true)
	f.Add(strings.Repeat("0a", 32), false)
	f.Add(strings.Repeat("0A", 32), false)
	f.Fuzz(func(t *testing.T, text string, b64 bool) {
		var out [32]byte
		if b64 {
			if DecodeBase64(out[:], []byte(text)) == nil && base64.StdEncoding.EncodeToString(out[:]) != text {
				t.Fatalf("%q is a second spelling", text)
			}
		} else if DecodeHex(out[:], []byte(text)) == nil && hex.EncodeToString(out[:]) != text {
			t.Fatalf("%q is a second spelling", text)
		}
	})
}

func TestTextThatIsRefusedChangesNothing(t *testing.T) {
	good := strings.Repeat("0a", 32)
	for _, bad := range []string{"", good[2:], good + "00", strings.ToUpper(good), good[:63] + "g", " " + good[1:]} {
		out := [32]byte{1, 2, 3}
		if DecodeHex(out[:], []byte(bad)) == nil || out != [32]byte{1, 2, 3} {
			t.Errorf("hex %q: taken, or the value changed", bad)
		}
	}
	text := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, bad := range []string{"", text[:43], text + "\n", text[:10] + "\r\n" + text[10:], text[4:], "A" + text, text[:42] + "B="} {
		out := [32]byte{1, 2, 3}
		if DecodeBase64(out[:], []byte(bad)) == nil || out != [32]byte{1, 2, 3} {
			t.Errorf("base64 %q: taken, or the value changed", bad)
		}
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
