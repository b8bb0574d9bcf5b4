package opening

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"parallax/oprf"
	"parallax/selector"
	"parallax/signed"
)

// testHeader is a header in form with two tags.
func testHeader() Header {
	h := Header{Version: HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: "bank", Sector: "bank", Origin: "own",
		Role: "unknown", Source: "b", Info: "2", Strength: 2, Kind: "report", Week: "2026-W44", Manifest: 1}
	for i := range 2 {
		key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+i)), 32)))
		h.Tags = append(h.Tags, HeaderTag{Class: selector.Email, Key: key.Public().(ed25519.PublicKey), Expires: 1000})
	}
	return h
}

func TestStatisticsUnderAGrammar(t *testing.T) {
	h := testHeader()
	edge := Edge{From: h.Tags[0].Tag(), To: oprf.Tag{9}, Type: "payment", Venue: "v-1", Band: "100-999", Count: 3,
		First: "2026-W43", Last: "2026-W44", Expires: 900}
	try := func(change func(*Statistics, *Header)) error {
		s, h := Statistics{Venues: []string{"v-1"}, Edges: []Edge{edge}}, h
		change(&s, &h)
		raw, err := signed.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		h.Statistics = Digest(raw)
		_, err = ReadStatistics(raw, h)
		return err
	}
	if err := try(func(*Statistics, *Header) {}); err != nil {
		t.Fatal(err)
	}
	full := make([]Edge, MaxEdges)
	for i := range full {
		full[i] = edge
	}
	if err := try(func(s *Statistics, _ *Header) { s.Edges = full }); err != nil {
		t.Errorf("%d edges: %v", MaxEdges, err)
	}
	for name, f := range map[string]func(*Statistics, *Header){
		"an edge from elsewhere": func(s *Statistics, _ *Header) { s.Edges[0].From = oprf.Tag{1} },
		"an edge to itself":      func(s *Statistics, _ *Header) { s.Edges[0].To = s.Edges[0].From },
		"too many edges":         func(s *Statistics, _ *Header) { s.Edges = append(full, edge) },
		"too many venues":        func(s *Statistics, _ *Header) { s.Venues = make([]string, maxVenues+1) },
		"free text":              func(s *Statistics, _ *Header) { s.Venues[0] = "seen at the old pier" },
		"an encoded file":        func(s *Statistics, _ *Header) { s.Edges[0].Type = strings.Repeat("a", 4000) },
		"weeks the wrong way":    func(s *Statistics, _ *Header) { s.Edges[0].First = "2026-W45" },
		"no events":              func(s *Statistics, _ *Header) { s.Edges[0].Count = 0 },
		"an edge that stays on":  func(s *Statistics, _ *Header) { s.Edges[0].Expires = 1001 },
		"an edge without an end": func(s *Statistics, _ *Header) { s.Edges[0].Expires = 0 },
		"venues of a possible victim": func(s *Statistics, h *Header) {
			h.Role, s.Edges = RolePossibleVictim, []Edge{}
		},
	} {
		if try(f) == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := ReadStatistics(nil, h); err != nil {
		t.Errorf("no part: %v", err)
	}
	for _, raw := range []string{"\xff\xd8\xff\xe0", "\x89PNG\r\n", "{}", `{"venues":[],"edges":[],"more":1}`, `{"edges":[],"venues":[]}`} {
		h.Statistics = Digest([]byte(raw))
		if _, err := ReadStatistics([]byte(raw), h); err == nil {
			t.Errorf("%q was taken", raw)
		}
		if _, err := ReadStatistics(nil, h); err == nil {
			t.Error("a part that is not there was taken")
		}
	}
}

func FuzzReadStatistics(f *testing.F) {
	h := testHeader()
	from, err := h.Tags[0].Tag().MarshalText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"venues":["v-1"],"edges":[]}`))
	f.Add([]byte(`{"venues":[],"edges":[{"from":"` + string(from) + `","to":"00000000000000000000000000000000","type":"payment","venue":"","band":"","count":1,"first":"2026-W44","last":"2026-W44","expires":900}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := h
		h.Statistics = Digest(raw)
		s, err := ReadStatistics(raw, h)
		if err != nil || len(raw) == 0 {
			return
		}
		if again, err := signed.Marshal(s); err != nil || string(again) != string(raw) {
			t.Fatalf("%q is a second spelling of %q", raw, again)
		}
	})
}

func TestHeaderForm(t *testing.T) {
	good := testHeader()
	raw, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := DecodeHeader(raw); err != nil || len(h.Tags) != 2 {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Header){
		"another version":      func(h *Header) { h.Version = 2 },
		"no tag":               func(h *Header) { h.Tags = nil },
		"17 tags":              func(h *Header) { h.Tags = make([]HeaderTag, 17) },
		"a tag twice":          func(h *Header) { h.Tags[1] = h.Tags[0] },
		"a tag without an end": func(h *Header) { h.Tags[0].Expires = 0 },
		"a short key":          func(h *Header) { h.Tags[0].Key = h.Tags[0].Key[1:] },
		"strength 4":           func(h *Header) { h.Strength = 4 },
		"grade g":              func(h *Header) { h.Source = "g" },
		"grade 10":             func(h *Header) { h.Info = "10" },
		"no organisation":      func(h *Header) { h.Organisation = "" },
		"no manifest":          func(h *Header) { h.Manifest = 0 },
		"free text as a kind":  func(h *Header) { h.Kind = "what was seen" },
		"free text as a role":  func(h *Header) { h.Role = "Mr. X" },
		"free text as origin":  func(h *Header) { h.Origin = "referred:the person next door" },
		"a day for a week":     func(h *Header) { h.Week = "2026-11-24" },
		"week 54":              func(h *Header) { h.Week = "2026-W54" },
	} {
		h := testHeader()
		change(&h)
		if _, err := h.Encode(); err == nil {
			t.Errorf("%s is encoded", name)
		}
		raw, err := signed.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeHeader(raw); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzHeader(f *testing.F) {
	raw, err := testHeader().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(strings.Replace(string(raw), `"own"`, `"referred:hotline-a"`, 1)))
	f.Add([]byte(strings.Replace(string(raw), `"version":1`, `"version":1,"version":1`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := DecodeHeader(raw)
		if err != nil {
			return
		}
		if again, err := h.Encode(); err != nil || string(again) != string(raw) {
			t.Fatalf("%q is a second spelling of %q (%v)", raw, again, err)
		}
	})
}
