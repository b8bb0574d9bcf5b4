package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// counted is a transport that sends nothing.
type counted struct{ asked []string }

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, r.URL.Host)
	return nil, errors.New("sent")
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	c := &counted{}
	h := NewHTTP(time.Second)
	h.Transport = sealed{c}
	for url, ok := range map[string]bool{"https://hub.example/v1/leads": true, "http://127.0.0.1:7100/v1/leads": true, "http://[::1]:7100/": true, "http://localhost:1/": true,
		"http://hub.example/v1/leads": false, "http://192.0.2.7:7100/": false, "http://localhost.example/": false, "http://127.0.0.1.example/": false, "ftp://hub.example/": false} {
		before := len(c.asked)
		err := Post(context.Background(), h, url, struct{}{}, nil)
		if sent := len(c.asked) > before; sent != ok || !errors.Is(err, ErrUnreachable) || !ok && !strings.Contains(err.Error(), "not reached by https") {
			t.Errorf("%s: sent is %t: %v", url, sent, err)
		}
	}
}

// A server that leads elsewhere is not followed, whatever kind of redirect it
// sends: a signed message reaches its addressee only.
func TestNoRedirectIsFollowed(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	status := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) }))
	defer front.Close()
	for _, status = range []int{301, 302, 303, 307, 308} {
		if err := Post(context.Background(), NewHTTP(time.Minute), front.URL, struct{}{}, nil); err == nil || !strings.Contains(err.Error(), "never followed") {
			t.Errorf("%d: %v", status, err)
		}
		if err := Get(context.Background(), NewHTTP(time.Minute), front.URL, nil); err == nil || !strings.Contains(err.Error(), "never followed") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if elsewhere > 0 {
		t.Errorf("the other server was asked %d times", elsewhere)
	}
}
