package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parallax/internal/clock"
)

// certificate writes one for 127.0.0.1 and returns the files and who trusts it.
func certificate(t *testing.T) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.System().Now()
	form := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, &form, &form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	one, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust.AddCert(one)
	return cert, key, trust
}

// A program with a certificate speaks TLS 1.3 and nothing older, to clients that
// trust its certificate, and no plain HTTP on the same port.
func TestTLSIsOfToday(t *testing.T) {
	cert, key, trust := certificate(t)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serveOn(ctx, ln, cert, key, http.NotFoundHandler()) }()
	defer func() {
		stop()
		if err := <-done; err != nil && err != http.ErrServerClosed {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		name, scheme string
		config       *tls.Config
		refused      string
	}{
		{"1.3", "https", &tls.Config{RootCAs: trust}, ""},
		{"1.2", "https", &tls.Config{RootCAs: trust, MaxVersion: tls.VersionTLS12}, "protocol version"},
		{"an unknown certificate", "https", &tls.Config{}, "certificate"},
		{"plain", "http", &tls.Config{}, "HTTP/1.0 400"},
	} {
		h := http.Client{Transport: &http.Transport{TLSClientConfig: c.config, DisableKeepAlives: true}, Timeout: time.Minute}
		res, err := h.Get(c.scheme + "://" + ln.Addr().String() + "/")
		switch {
		case err == nil && c.scheme == "http":
			if res.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", c.name, res.Status)
			}
		case c.refused == "" && (err != nil || res.TLS.Version != tls.VersionTLS13):
			t.Errorf("%s: %v", c.name, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v, want a refusal with %q", c.name, err, c.refused)
		}
		if err == nil {
			res.Body.Close()
		}
	}
}

// Plain HTTP is listened for on this machine, or behind a proxy that is said to
// be there.
func TestPlainHTTPIsListenedForAtHome(t *testing.T) {
	for _, c := range []struct {
		addr, cert string
		proxy, ok  bool
	}{
		{"127.0.0.1:0", "", false, true}, {"[::1]:7100", "", false, true}, {"localhost:7100", "", false, true},
		{"0.0.0.0:7100", "", false, false}, {":7100", "", false, false}, {"192.0.2.7:7100", "", false, false}, {"hub.example:7100", "", false, false},
		{"0.0.0.0:7100", "cert.pem", false, true}, {":7100", "", true, true}, {"7100", "", true, false},
	} {
		if err := checkListen(c.addr, c.cert, c.proxy); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Where one request ends and the next begins is never a matter of opinion: what
// two servers could read in two ways is refused, or read as the standard says.
func TestRequestsHaveOneEnd(t *testing.T) {
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan string, 10)
	done := make(chan error, 1)
	go func() {
		done <- serveOn(ctx, ln, "", "", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			seen <- fmt.Sprint(r.Method, " ", r.URL.Path, " ", len(body), " ", err == nil)
		}))
	}()
	for name, c := range map[string]struct {
		head   string
		status string
		seen   string
	}{
		"two lengths":          {"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", "400", ""},
		"no number":            {"Content-Length: +5\r\n\r\n12345", "400", ""},
		"another encoding":     {"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501", ""},
		"two encodings":        {"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501", ""},
		"length and encoding":  {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n", "200", "POST / 5 true"},
		"a space in the field": {"Content-Length : 5\r\n\r\n12345", "400", ""},
	} {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+c.head); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+c.status) {
			t.Errorf("%s: %v %.60q, want %s", name, err, answer, c.status)
		}
		if c.seen != "" {
			if got := <-seen; got != c.seen {
				t.Errorf("%s: the handler saw %s", name, got)
			}
		}
	}
	stop()
	if err := <-done; err != nil && err != http.ErrServerClosed {
		t.Error(err)
	}
	if len(seen) > 0 {
		t.Errorf("a handler saw what was to be refused: %s", <-seen)
	}
}
