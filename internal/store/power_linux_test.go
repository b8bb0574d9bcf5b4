package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"parallax/internal/lossydisk"
	"parallax/internal/store"
)

func powerCuts() int {
	if os.Getenv("PARALLAX_SOAK") != "" {
		return 500
	}
	return 20
}

// The power goes while a program writes. What Write acknowledged is there
// afterwards, every time.
func TestAPowerCutLosesNothing(t *testing.T) {
	if lost := cutPower(t, powerCuts()); lost != 0 {
		t.Errorf("%d of the acknowledged acts were lost", lost)
	}
}

// The same loop must find losses where there are some: in SQLite without an
// fsync at each commit, and on a disk that lies about fsync.
func TestThePowerCutsWouldShowALoss(t *testing.T) {
	if lost := cutPower(t, 20, childNormal+"=1"); lost <= 0 {
		t.Errorf("20 power cuts lost nothing of what synchronous=NORMAL acknowledged")
	}
}

// cutPower gives how many acknowledged rows were lost in all.
func cutPower(t *testing.T, times int, env ...string) (lost int64) {
	disk := lossydisk.Mount(t, 7)
	path := filepath.Join(disk.Dir(), "x.db")
	// The database is made elsewhere and copied: this process, which serves the
	// disk, must not have a file of it mapped.
	at := made(t)
	copyFiles(t, disk.Dir(), at)
	var before int64
	for round := range times {
		acknowledged := int64(crashAfter(t, path, 1+round%7, disk.Cut, env...))
		disk.Restore()
		now := count(t, disk.Dir())
		if now < before+acknowledged {
			lost += before + acknowledged - now
		} else if now > before+acknowledged+1 {
			t.Fatalf("cut %d: %d rows after %d and %d acknowledged", round, now, before, acknowledged)
		}
		before = now
	}
	t.Logf("%d power cuts lost %d acknowledged acts", times, lost)
	return lost
}

// made is a folder with an empty database, synced file by file when copied.
func made(t *testing.T) string {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), "shelf", shelf); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// count opens a copy of what is on the disk.
func count(t *testing.T, dir string) int64 {
	at := t.TempDir()
	copyFiles(t, at, dir)
	db, err := store.Open(t.Context(), filepath.Join(at, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return total(t, db)
}

func copyFiles(t *testing.T, to, from string) {
	t.Helper()
	list, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		raw, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(filepath.Join(to, e.Name()), raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := syncFolder(to); err != nil {
		t.Fatal(err)
	}
}

func write(path string, raw []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(raw); err != nil {
		return err
	}
	return f.Sync()
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
