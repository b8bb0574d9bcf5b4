package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// network records what would be dialled and reaches nothing.
type network struct {
	answers map[string][][]netip.Addr // by name: what each look-up finds, in order
	dialled []string
}

var errNoNetwork = errors.New("recorded, not dialled")

func (n *network) guard(named ...string) *Guard {
	return &Guard{Named: named,
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			list := n.answers[host]
			if len(list) == 0 {
				return nil, errors.New("no such name")
			}
			if len(list) > 1 {
				n.answers[host] = list[1:]
			}
			return list[0], nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			n.dialled = append(n.dialled, address)
			return nil, errNoNetwork
		}}
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// inside are addresses of every special range, at its ends where it has such,
// and the ways in which one is disguised.
var inside = []string{
	"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
	"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1",
	"198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::808:808",
	"64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2620:4f:8000::1", "3fff::1", "5f00::1",
	"fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "fe80::1%eth0",
}

var outside = []string{"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255",
	"198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1", "2001:200::1"}

// Every special-purpose range is refused, as an address and behind a name, and
// nothing is dialled; a public address is dialled as it was found.
func TestSpecialAddressesAreNeverDialled(t *testing.T) {
	for _, a := range inside {
		n := &network{answers: map[string][][]netip.Addr{"disguise.example": {addrs(a)}, "mixed.example": {addrs("1.1.1.1", a)}}}
		for _, host := range []string{a, "disguise.example", "mixed.example"} {
			if _, err := n.guard().DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443")); !errors.Is(err, ErrRefused) {
				t.Errorf("%s as %s: %v", a, host, err)
			}
		}
		if len(n.dialled) > 0 {
			t.Errorf("%s: dialled %v", a, n.dialled)
		}
	}
	for _, a := range outside {
		n := &network{answers: map[string][][]netip.Addr{"there.example": {addrs(a)}}}
		want := net.JoinHostPort(a, "443")
		for _, host := range []string{a, "there.example"} {
			if _, err := n.guard().DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443")); !errors.Is(err, errNoNetwork) {
				t.Errorf("%s as %s: %v", a, host, err)
			}
		}
		if !slices.Equal(n.dialled, []string{want, want}) {
			t.Errorf("%s: dialled %v", a, n.dialled)
		}
	}
	for _, odd := range []string{"2130706433:80", "0x7f.1:80", "0177.0.0.1:80", "127.1:80", "localhost:80", "no port", "[::1]:80", "empty.example:80"} {
		n := &network{answers: map[string][][]netip.Addr{"localhost": {addrs("127.0.0.1")}, "empty.example": {{}}}}
		if _, err := n.guard().DialContext(t.Context(), "tcp", odd); err == nil || len(n.dialled) > 0 {
			t.Errorf("%s: %v, dialled %v", odd, err, n.dialled)
		}
	}
}

// A name server that answers one thing first and another later changes nothing:
// the first answer is what is dialled.
func TestRebindingChangesNothing(t *testing.T) {
	n := &network{answers: map[string][][]netip.Addr{"rebind.example": {addrs("1.1.1.1"), addrs("127.0.0.1")}}}
	g := n.guard()
	_, first := g.DialContext(t.Context(), "tcp", "rebind.example:80")
	_, second := g.DialContext(t.Context(), "tcp", "rebind.example:80")
	if !errors.Is(first, errNoNetwork) || !errors.Is(second, ErrRefused) || !slices.Equal(n.dialled, []string{"1.1.1.1:80"}) {
		t.Errorf("%v, %v, dialled %v", first, second, n.dialled)
	}
}

// The host that the settings name may be anywhere, at its own port only.
func TestNamedHosts(t *testing.T) {
	g, err := New("https://Login.example/realm", "http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{answers: map[string][][]netip.Addr{"login.example": {addrs("10.1.1.1")}}}
	guard := n.guard(g.Named...)
	for address, want := range map[string]error{"login.example:443": errNoNetwork, "LOGIN.example:443": errNoNetwork, "127.0.0.1:8080": errNoNetwork,
		"login.example:22": ErrRefused, "127.0.0.1:80": ErrRefused} {
		if _, err := guard.DialContext(t.Context(), "tcp", address); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := New("not an address"); err == nil {
		t.Error("an address without a host")
	}
}

// The client follows no redirect, and ends an answer that does not end.
func TestClientGoesNowhereElse(t *testing.T) {
	asked := 0
	far := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer far.Close()
	near := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
			return
		}
		http.Redirect(w, r, far.URL, http.StatusTemporaryRedirect)
	}))
	defer near.Close()
	g, err := New(near.URL, far.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := g.Client(time.Minute, 1000)
	if _, err := c.Get(near.URL + "/"); !errors.Is(err, ErrRefused) || asked > 0 {
		t.Errorf("a redirect: %v, asked %d times", err, asked)
	}
	res, err := c.Get(near.URL + "/long")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw := make([]byte, 2000)
	n := 0
	for {
		m, err := res.Body.Read(raw[n:])
		if n += m; err != nil {
			break
		}
	}
	if n != 1000 {
		t.Errorf("%d bytes of a long answer", n)
	}
}
