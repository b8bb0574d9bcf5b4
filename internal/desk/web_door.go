package desk

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
)

// minKey is the least length of an access key that a person chooses.
const minKey = 16

// A door lets in who has the access key. The key comes once in the address and
// is exchanged for a cookie; it is never logged and stands in no page.
type door struct {
	key    string
	hosts  []string // what a browser may call this server, the printed one first
	cookie string   // cookies are shared by all ports of a host, so its name has the port
	pass   string   // the cookie's value
	random io.Reader
}

// String hides the key.
func (door) String() string { return "[access key]" }

// GoString hides the key.
func (door) GoString() string { return "[access key]" }

// CheckListen refuses an address that is reachable from elsewhere.
func CheckListen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("--listen %s: want an address and a port, as 127.0.0.1:7110", addr), err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fault.New(fault.Invalid, fmt.Sprintf("--listen %s: a desk shows what its organisation knows, so its page listens on this computer only; use 127.0.0.1, ::1 or localhost", addr))
}

func newDoor(addr net.Addr, key string, random io.Reader) (door, error) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return door{}, fault.New(fault.Invalid, "A desk's page listens on the loopback interface only.")
	}
	if key != "" && (len(key) < minKey || strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "") {
		return door{}, fault.New(fault.Invalid, fmt.Sprintf("--access-key needs at least %d letters, digits, - or _; leave it out for a random one", minKey))
	}
	raw := make([]byte, 32)
	if _, err := io.ReadFull(random, raw); err != nil {
		return door{}, err
	}
	if key == "" {
		key = base64.RawURLEncoding.EncodeToString(raw[:16])
	}
	port := strconv.Itoa(tcp.Port)
	d := door{random: random, key: key, cookie: "parallax-desk-" + port, pass: base64.RawURLEncoding.EncodeToString(raw[16:])}
	for _, host := range []string{tcp.IP.String(), "127.0.0.1", "localhost", "::1"} {
		if h := net.JoinHostPort(host, port); !slices.Contains(d.hosts, h) {
			d.hosts = append(d.hosts, h)
		}
	}
	return d, nil
}

// same compares in constant time, whatever the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// open reports whether the request carries the cookie.
func (d door) open(r *http.Request) bool {
	c, err := r.Cookie(d.cookie)
	return err == nil && same(c.Value, d.pass)
}

// keep lets requests in. Another name for this machine is refused, so that a
// page elsewhere cannot reach in by pointing its own name here.
func (d door) keep(s *Site, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(d.hosts, r.Host) {
			http.Error(w, "This page answers only as http://"+d.hosts[0]+"/", http.StatusMisdirectedRequest)
			return
		}
		switch {
		case r.Method == http.MethodGet && r.URL.Query().Has("key"):
			d.exchange(s, w, r)
		case d.open(r) || strings.HasPrefix(r.URL.Path, "/assets/"):
			next.ServeHTTP(w, r)
		default:
			s.locked(w, r, "")
		}
	})
}

// exchange turns the key into a cookie and takes it out of the address.
func (d door) exchange(s *Site, w http.ResponseWriter, r *http.Request) {
	if !same(r.URL.Query().Get("key"), d.key) {
		s.locked(w, r, "The access key in the address is not the one of this page. It is another each time the page is started.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: d.cookie, Value: d.pass, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // plain HTTP on loopback has no Secure
	q := r.URL.Query()
	q.Del("key")
	to := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
	if strings.HasPrefix(to.Path, "//") { // would name another host
		to.Path = "/"
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// locked says how to get in, and nothing else.
func (s *Site) locked(w http.ResponseWriter, r *http.Request, why string) {
	view := web.View{Title: "This desk's page is locked", Question: "How do I get in?", Data: []any{
		web.Text("Open the address that was printed in the terminal where the page was started. It holds an access key and looks like this:"),
		web.Code{Label: "Address", Text: "http://" + s.door.hosts[0] + "/?key=…"},
		web.Text("The key opens the page in this browser until the browser or the page is closed. Where the address is lost, stop the page (Ctrl+C) and start it again with \"parallax desk serve\": it prints a new one."),
	}}
	if why != "" {
		view.Notice = &web.Notice{Tone: web.Stop, Title: why}
	}
	s.kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.blocks(w, r, http.StatusForbidden, view)
	}).ServeHTTP(w, r)
}
