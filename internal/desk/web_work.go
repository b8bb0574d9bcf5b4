package desk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"parallax/internal/fault"
	"parallax/selector"
)

// Limits of what the page holds.
const (
	maxUpload = 64 << 20  // bytes of one file in memory
	maxWorks  = 3         // files at once; a fourth drops the one opened first
	direct    = 512 << 10 // bytes that are read while the browser waits
)

// A work is one file that a person looks at in the browser: where its rows come
// from, what its columns mean, and what came of reading it.
type work struct {
	id      string
	in      Input
	size    int64
	columns []string
	opened  time.Time

	// Owned by Site.mu.
	mapping Mapping
	guessed bool
	reading bool
	rows    int // so far
	round   int // counts readings; one that was overtaken is dropped
	report  *Report
	plan    *planned
	err     error
}

// sample reads the first rows: the columns that are there and a guess.
func sample(in Input) (Mapping, []string, error) {
	src, f, err := OpenSource(in)
	if err != nil {
		return Mapping{}, nil, err
	}
	defer f.Close()
	m, err := GuessMapping(src)
	return m, src.Columns, err
}

// begin takes a file up; with no mapping it is guessed.
func (s *Site) begin(in Input, size int64, m *Mapping) (*work, error) {
	guess, columns, err := sample(in)
	if err != nil {
		return nil, err
	}
	id, err := randomID(s.door.random)
	if err != nil {
		return nil, err
	}
	w := &work{id: id, in: in, size: size, columns: columns, mapping: guess, guessed: m == nil, opened: s.clock.Now()}
	if m != nil {
		w.mapping = *m
	}
	s.mu.Lock()
	if s.works = append(s.works, w); len(s.works) > maxWorks {
		s.works = append([]*work(nil), s.works[1:]...)
	}
	s.mu.Unlock()
	s.read(w)
	return w, nil
}

// read reads a whole file: at once where it is small, beside the requests where
// it is large.
func (s *Site) read(w *work) {
	s.mu.Lock()
	w.round++
	w.reading, w.rows, w.report, w.err = true, 0, nil, nil
	round, m := w.round, w.mapping
	s.mu.Unlock()
	do := func() {
		rep, err := Check(w.in, &m, s.clock.Now(), func(rows int) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			w.rows = rows
			if w.round != round {
				return context.Canceled
			}
			return s.ctx.Err()
		})
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.round == round {
			w.reading, w.rows, w.report, w.err = false, rep.Rows, &rep, err
		}
	}
	if w.size <= direct {
		do()
		return
	}
	s.jobs.Go(do)
}

// view is a copy of what a page needs of a work.
type workView struct {
	work
	version string
}

func (s *Site) view(w *work) workView {
	s.mu.Lock()
	defer s.mu.Unlock()
	return workView{work: *w, version: fmt.Sprintf("%d-%t", w.round, w.reading)}
}

// find gives the work that the address names.
func (s *Site) find(r *http.Request) (*work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.works {
		if w.id == r.PathValue("work") {
			return w, nil
		}
	}
	return nil, fault.New(fault.NotFound, fmt.Sprintf("This file is not held any more: the page keeps the last %d files, in memory only, until it is stopped. Choose the file again.", maxWorks))
}

func (s *Site) drop(w *work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, x := range s.works {
		if x == w {
			s.works = append(append([]*work(nil), s.works[:i]...), s.works[i+1:]...)
			return
		}
	}
}

// usesCountry reports whether a value of the class may lack its country.
func usesCountry(c selector.Class) bool {
	return c == selector.Phone || c == selector.Bank || c == selector.PayID
}
