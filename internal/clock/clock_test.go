package clock

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestSystemIsCleanUTC(t *testing.T) {
	now := System().Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("%v is not UTC to the microsecond", now)
	}
	if now != time.UnixMicro(now.UnixMicro()).UTC() {
		t.Error("the time does not survive being stored as microseconds")
	}
	if d := time.Since(now); d < -time.Second || d > time.Minute {
		t.Errorf("the system clock is %v away", d)
	}
}

func TestFixedAndManual(t *testing.T) {
	if got := Fixed(noon.Add(time.Nanosecond)).Now(); got != noon {
		t.Errorf("Fixed = %v", got)
	}
	m := Manual(noon)
	if got := m.Advance(90 * time.Second); got != noon.Add(90*time.Second) || m.Now() != got {
		t.Errorf("Advance = %v, Now = %v", got, m.Now())
	}
	m.Set(noon.Add(-time.Hour))
	if got := m.Now(); got != noon.Add(-time.Hour) {
		t.Errorf("Set = %v", got)
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { m.Advance(time.Second); m.Now() })
	}
	wg.Wait()
	if got := m.Now(); got != noon.Add(-time.Hour+50*time.Second) {
		t.Errorf("after 50 steps: %v", got)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offset")
	a, b := fileOn(path, Fixed(noon)), fileOn(path, Fixed(noon))
	if got := a.Now(); got != noon || a.Check() != nil {
		t.Errorf("without a file: %v, %v", got, a.Check())
	}
	if err := a.Advance(48 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := b.Advance(-time.Hour); err != nil {
		t.Fatal(err)
	}
	if want := noon.Add(47 * time.Hour); a.Now() != want || b.Now() != want {
		t.Errorf("two clocks on one file: %v and %v, want %v", a.Now(), b.Now(), want)
	}

	if err := os.WriteFile(path, []byte("soon"), 0o600); err != nil {
		t.Fatal(err)
	}
	if want := noon.Add(47 * time.Hour); a.Now() != want {
		t.Errorf("an unreadable offset should leave the last one in force: %v", a.Now())
	}
	if err := fileOn(path, Fixed(noon)).Check(); err == nil {
		t.Error("an unreadable offset should be refused at the start")
	}
	if err := a.Advance(time.Hour); err == nil {
		t.Error("an unreadable offset should not be built on")
	}
	if err := os.WriteFile(path, []byte("99999999999"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := File(path).Check(); err == nil {
		t.Error("an offset of thousands of years should be refused")
	}
}

func TestFileRefusesToLeaveItsRange(t *testing.T) {
	f := fileOn(filepath.Join(t.TempDir(), "offset"), Fixed(noon))
	if err := f.Advance(290 * 365 * 24 * time.Hour); err == nil {
		t.Error("an offset past the range should be refused")
	}
	if got := f.Now(); got != noon {
		t.Errorf("a refused step moved the clock to %v", got)
	}
}
