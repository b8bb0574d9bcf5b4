// Package outbound keeps a server from being sent to addresses that others
// choose: a machine beside it, a cloud's metadata service, itself.
//
// Most of what this program asks stands in an object that a quorum signed or on
// an operator's command line, and needs no guard but that answers do not lead
// elsewhere (client.NewHTTP). A [Guard] is for addresses that come in an answer, as
// an OpenID provider's list of its endpoints does.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// special are the ranges that are not the public internet: the IANA registries
// of special-purpose addresses, multicast, and the ways to write an IPv4 address
// inside of an IPv6 one. Go's own predicates leave several of them out.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
	"192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public reports whether an address is one of the public internet. One that is
// written as IPv6 around an IPv4 address never is: nobody needs it written so.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// ErrRefused is wrapped by errors for addresses that are not dialled.
var ErrRefused = errors.New("outbound: the address is refused")

// A Guard makes connections to the hosts that an operator named, wherever they
// are, and to public addresses of others.
type Guard struct {
	Named   []string // host and port, as "login.example:443"
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// New is a guard with the system's resolver and network, for the hosts of these
// addresses.
func New(addresses ...string) (*Guard, error) {
	g := &Guard{Dial: (&net.Dialer{Timeout: 10 * time.Second}).DialContext}
	g.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err != nil || u.Hostname() == "" {
			return nil, fmt.Errorf("outbound: %q is no address", a)
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
		}
		g.Named = append(g.Named, net.JoinHostPort(strings.ToLower(u.Hostname()), port))
	}
	return g, nil
}

// DialContext implements the function of http.Transport. A name is looked up
// once and what was found is what is dialled, so that a second answer of its
// name server changes nothing; one special address among them refuses all.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	for _, named := range g.Named {
		if strings.EqualFold(named, address) {
			return g.Dial(ctx, network, address)
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	found := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		found = append(found, a)
	} else if found, err = g.Resolve(ctx, host); err != nil {
		return nil, fmt.Errorf("outbound: %s: %w", host, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s has no address", ErrRefused, host)
	}
	for _, a := range found {
		if !Public(a) {
			return nil, fmt.Errorf("%w: %s is at %s, which is not public; only a host that the settings name may be there", ErrRefused, host, a)
		}
	}
	var failed error
	for _, a := range found {
		c, err := g.Dial(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return c, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// Client is an HTTP client behind the guard. It follows no redirect and uses no
// proxy, which would dial in its place; an answer ends after limit bytes.
func (g *Guard) Client(timeout time.Duration, limit int64) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.DialContext = nil, g.DialContext
	return &http.Client{Timeout: timeout, Transport: bounded{t, limit}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return fmt.Errorf("%w: an answer leads elsewhere", ErrRefused)
	}}
}
