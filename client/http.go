package client

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

var errRedirect = errors.New("the answer leads to another address, which is never followed; use the server's own address")

// NewHTTP is how every part asks another: it follows no redirect, so that a
// signed message goes where it was addressed and nowhere else, and speaks plain
// HTTP with this machine only. Every other server must have a certificate that
// this machine trusts.
func NewHTTP(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: sealed{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect }}
}

// HTTPSOnly refuses plain HTTP with any machine but this one before next sees it.
func HTTPSOnly(next http.RoundTripper) http.RoundTripper { return sealed{next} }

// sealed lets only requests through that nobody on the way can read.
type sealed struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s sealed) RoundTrip(r *http.Request) (*http.Response, error) {
	if host := r.URL.Hostname(); r.URL.Scheme != "https" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes it also where it sends nothing
		}
		return nil, fmt.Errorf("%s is not reached by https: plain http is for this machine only", host)
	}
	return s.next.RoundTrip(r)
}
