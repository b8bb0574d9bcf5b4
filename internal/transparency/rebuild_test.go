package transparency

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"parallax/client"
	"parallax/internal/store/storetest"
	"parallax/tlog"
)

// bend changes what a server answers at one address.
type bend struct {
	path   string
	change func([]byte) []byte
}

// RoundTrip implements http.RoundTripper.
func (b bend) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.URL.Path != b.path {
		return res, err
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(b.change(raw)))
	return res, err
}

func flip(at int) func([]byte) []byte {
	return func(raw []byte) []byte { raw[at] ^= 1; return raw }
}

func TestAWholeLogIsRebuilt(t *testing.T) {
	x := &tree{t: t, db: storetest.SQLite(t)}
	x.log = open(t, x.db)
	s := serve(t, x.log)
	head := func() (cp tlog.Checkpoint) {
		_, raw, err := x.log.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if cp, err = tlog.ParseCheckpoint(string(raw[:strings.Index(string(raw), "\n\n")+1])); err != nil {
			t.Fatal(err)
		}
		return cp
	}
	x.growTo(300)
	old := head()
	x.growTo(1000)
	now := head()
	read := func(through http.RoundTripper, cp tlog.Checkpoint, earlier *tlog.Checkpoint) (client.Rebuilt, int, error) {
		steps := 0
		src := client.LogSource{URL: s.URL, HTTP: &http.Client{Transport: through}}
		var heads []tlog.Checkpoint
		if earlier != nil {
			heads = append(heads, *earlier)
		}
		got, err := src.Rebuild(t.Context(), cp, client.Look{Earlier: heads, Wanted: []tlog.Hash{leafAt(999), leafAt(5), {1}}, Step: func() { steps++ }})
		return got, steps, err
	}
	got, steps, err := read(http.DefaultTransport, now, &old)
	if err != nil || got.Entries != 1000 || got.Tiles != client.TilesOf(1000) || steps != 9 || len(got.Found) != 2 || got.Found[leafAt(999)] != 999 || got.Found[leafAt(5)] != 5 {
		t.Fatalf("%+v after %d steps: %v", got, steps, err)
	}
	if _, _, err := read(http.DefaultTransport, tlog.Checkpoint{Root: tlog.EmptyRoot()}, nil); err != nil {
		t.Errorf("a log without entries: %v", err)
	}
	other, wrongRoot := old, now
	other.Root[3] ^= 1
	wrongRoot.Root[3] ^= 1
	for name, x := range map[string]struct {
		bend    bend
		cp      tlog.Checkpoint
		earlier *tlog.Checkpoint
		fork    bool
	}{
		"another history":            {bend{}, now, &other, true},
		"an earlier head was larger": {bend{}, old, &now, true},
		"another root at one size":   {bend{}, now, &wrongRoot, true},
		"another root is signed":     {bend{}, wrongRoot, nil, false},
		"an entry is changed":        {bend{"/log/tile/entries/001", flip(40)}, now, nil, false},
		"an entry's length":          {bend{"/log/tile/entries/001", flip(1)}, now, nil, false},
		"an entry is left out":       {bend{"/log/tile/entries/001", func(b []byte) []byte { return b[34:] }}, now, nil, false},
		"a leaf's hash is changed":   {bend{"/log/tile/0/003.p/232", flip(7)}, now, nil, false},
		"an inner hash is changed":   {bend{"/log/tile/1/000.p/3", flip(7)}, now, nil, false},
		"a longer tile":              {bend{"/log/tile/1/000.p/3", func(b []byte) []byte { return append(b, b...) }}, now, nil, false},
	} {
		_, _, err := read(x.bend, x.cp, x.earlier)
		var f *client.Fork
		if err == nil || errors.As(err, &f) != x.fork {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Close()
	if _, _, err := read(http.DefaultTransport, now, nil); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("a server that is away: %v", err)
	}
}
