// Package clock is where time comes from. Everything that decides by the time
// takes a Clock, so that tests and the demonstration can say what time it is;
// nothing outside this package calls time.Now to decide anything.
//
// All clocks here answer in UTC without a monotonic reading, to the
// microsecond: what is stored equals what was decided on.
package clock

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clock tells the time.
type Clock interface {
	// Now is the current time, in UTC, truncated to the microsecond.
	Now() time.Time
}

// clean drops the zone, the monotonic reading and what the store would lose.
func clean(t time.Time) time.Time { return t.UTC().Round(0).Truncate(time.Microsecond) }

type system struct{}

func (system) Now() time.Time { return clean(time.Now()) }

// System is the machine's own clock.
func System() Clock { return system{} }

type fixed struct{ at time.Time }

func (f fixed) Now() time.Time { return f.at }

// Fixed always answers t.
func Fixed(t time.Time) Clock { return fixed{clean(t)} }

// ManualClock moves only when it is told to. It may be used from several
// goroutines.
type ManualClock struct {
	mu sync.Mutex
	at time.Time
}

// Manual starts a clock at t that stands still until it is moved.
func Manual(t time.Time) *ManualClock { return &ManualClock{at: clean(t)} }

// Now is the time that the clock was last moved to.
func (m *ManualClock) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

// Advance moves the clock by d, which may be negative, and returns the new time.
func (m *ManualClock) Advance(d time.Duration) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = clean(m.at.Add(d))
	return m.at
}

// Set moves the clock to t.
func (m *ManualClock) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = clean(t)
}

// maxFileOffset bounds a file clock's offset in seconds (a hundred years).
const maxFileOffset = 100 * 366 * 24 * 3600

// FileClock runs beside another clock at an offset that is written in a file,
// so that several programs of one demonstration can be moved to the same day
// by one of them. It is never used where the time has consequences.
type FileClock struct {
	path string
	base Clock

	mu   sync.Mutex
	last time.Duration // the last offset that could be read
}

// File returns a clock whose offset, a whole number of seconds, is read from
// the file at path on every Now. A file that is not there means no offset; one
// that cannot be understood leaves the last offset in force, none at first.
// Check says which of them it is.
func File(path string) *FileClock { return fileOn(path, System()) }

func fileOn(path string, base Clock) *FileClock { return &FileClock{path: path, base: base} }

// Check is an error when the file is there but holds no offset. A program asks
// before it starts, so that two of them never begin on different days.
func (f *FileClock) Check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.read()
	return err
}

// Now is the base clock's time plus the offset in the file at this moment.
func (f *FileClock) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset, err := f.read(); err == nil {
		f.last = offset
	}
	return clean(f.base.Now().Add(f.last))
}

// Advance adds d, in whole seconds, to the offset in the file.
func (f *FileClock) Advance(d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	offset, err := f.read()
	if err != nil {
		return err
	}
	sum := int64((offset + d) / time.Second)
	if sum > maxFileOffset || sum < -maxFileOffset {
		return fmt.Errorf("clock file: an offset of %d s is out of range", sum)
	}
	return replace(f.path, strconv.FormatInt(sum, 10)+"\n")
}

func (f *FileClock) read() (time.Duration, error) {
	raw, err := os.ReadFile(f.path)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("clock file: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil || n > maxFileOffset || n < -maxFileOffset {
		return 0, fmt.Errorf("clock file %s does not hold an offset in seconds", f.path)
	}
	return time.Duration(n) * time.Second, nil
}

// replace writes a file so that a reader sees the old or the new text, never
// half of one.
func replace(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".clock-*")
	if err != nil {
		return fmt.Errorf("clock file: %w", err)
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.WriteString(text); err != nil {
		tmp.Close()
		return fmt.Errorf("clock file: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("clock file: %w", err)
	}
	return os.Rename(tmp.Name(), path)
}
