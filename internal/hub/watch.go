package hub

import (
	"context"
	"sync"
	"time"

	"parallax/client"
	"parallax/opening"
)

// Holders are asked for their status at most this often for pages, however
// many people look, and each gets this long to answer.
const (
	watchEvery = 30 * time.Second
	watchWait  = 2 * time.Second
)

// seen is what a key holder answered, or that it did not.
type seen struct {
	Holder opening.Holder
	OK     bool
	client.HolderStatus
}

// watch keeps the key holders' last answers for pages.
type watch struct {
	s *Server

	mu   sync.Mutex
	at   time.Time
	last []seen
}

// holders gives each holder's last answer and when they were asked.
func (w *watch) holders(ctx context.Context) ([]seen, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.s.o.Clock.Now()
	if age := now.Sub(w.at); w.last != nil && age >= 0 && age < watchEvery {
		return w.last, w.at
	}
	list := w.s.state.committee().Holders
	if m, ok := w.s.state.current(); ok {
		list = m.Holders
	}
	// A reader who goes away does not leave the next one without answers.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchWait)
	defer cancel()
	got := make([]seen, len(list))
	var wg sync.WaitGroup
	for i, h := range list {
		wg.Go(func() {
			st, err := holders{w.s}.status(ctx, h)
			got[i] = seen{Holder: h, OK: err == nil, HolderStatus: st}
		})
	}
	wg.Wait()
	w.at, w.last = now, got
	return got, now
}
