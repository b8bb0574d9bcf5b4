package identity

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// A site is where people reach the hub, and what follows from it.
type site struct {
	origin string // scheme and host, no slash at the end
	host   string // without the port: what passkeys are bound to
	port   string
	secure bool
	// why says that nobody can sign in here; "" where people can.
	why string
}

// newSite reads the hub's address. Over plain http only a loopback name can be
// signed in to: elsewhere a session's cookie could be read on the way.
func newSite(text string) (site, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return site{}, fmt.Errorf("identity: the hub's address %q is no http or https address", text)
	}
	s := site{origin: u.Scheme + "://" + u.Host, host: strings.ToLower(u.Hostname()), port: u.Port(), secure: u.Scheme == "https"}
	if ip := net.ParseIP(s.host); !s.secure && s.host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		s.why = "This hub's address is not https, so nobody can sign in: a session could be read on its way."
	}
	return s, nil
}

func (s site) url(path string) string { return s.origin + path }

// cookie names a cookie. Over https the name holds a browser to Secure, this
// host and the whole path; on a loopback name, whose ports share cookies, it has
// the port.
func (s site) cookie(name string) string {
	if s.secure {
		return "__Host-parallax-" + name
	}
	return "parallax-" + name + "-" + s.port
}

// passkeys says why this address cannot hold passkeys; "" where it can.
func (s site) passkeys() string {
	if net.ParseIP(s.host) != nil {
		return "Passkeys need a host name: browsers do not bind them to an IP address. Reach this hub as localhost or by its name."
	}
	return s.why
}

// local is a path of this site to go on to; "/" for anything else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
