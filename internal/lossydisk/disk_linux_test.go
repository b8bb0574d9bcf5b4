package lossydisk

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file; sync names what is synced after it: "file", "folder".
func put(t *testing.T, path string, data []byte, sync ...string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	_, err = f.Write(data)
	must(t, err)
	for _, s := range sync {
		if s == "file" {
			must(t, f.Sync())
			continue
		}
		d, err := os.Open(filepath.Dir(path))
		must(t, err)
		must(t, d.Sync())
		must(t, d.Close())
	}
}

// The disk keeps what a program made sure of, and over some cuts it loses each
// of the rest: content without fsync, a name without fsync of its folder.
func TestItKeepsWhatIsSyncedAndLosesTheRest(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	lost := make(map[string]bool)
	d := Mount(t, 1)
	for range 20 {
		sure, data, entry := filepath.Join(d.Dir(), "sure"), filepath.Join(d.Dir(), "data"), filepath.Join(d.Dir(), "entry")
		put(t, data, nil, "folder")
		put(t, sure, content, "file", "folder")
		put(t, entry, content, "file")
		put(t, data, content)
		if got, err := os.ReadFile(data); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("before the cut: %v", err)
		}
		d.Cut()
		if _, err := os.ReadFile(filepath.Join(d.Dir(), "other")); !errors.Is(err, syscall.EIO) {
			t.Fatalf("without power: %v", err)
		}
		d.Restore()
		if got, err := os.ReadFile(sure); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("a synced file was lost: %v", err)
		}
		got, err := os.ReadFile(data)
		must(t, err)
		lost["content"] = lost["content"] || !bytes.Equal(got, content)
		got, err = os.ReadFile(entry)
		lost["name"] = lost["name"] || os.IsNotExist(err)
		if err == nil && !bytes.Equal(got, content) {
			t.Fatal("a file with its name has lost content that was synced")
		}
		if err == nil {
			must(t, os.Remove(entry))
		}
	}
	if !lost["content"] || !lost["name"] {
		t.Errorf("20 power cuts lost only %v", lost)
	}
}

func TestALyingDiskLosesSyncedFiles(t *testing.T) {
	d := Mount(t, 1)
	d.Lie()
	path := filepath.Join(d.Dir(), "x")
	for range 20 {
		put(t, path, []byte("content"), "file", "folder")
		d.Cut()
		d.Restore()
		if got, err := os.ReadFile(path); err != nil || len(got) == 0 {
			return
		}
	}
	t.Error("20 power cuts lost nothing")
}

func TestAFullDiskRefusesMoreAndKeepsWhatIsThere(t *testing.T) {
	d := Mount(t, 1)
	path := filepath.Join(d.Dir(), "x")
	put(t, path, []byte("content"), "file")
	d.Fill(10)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	defer f.Close()
	if _, err := f.Write(make([]byte, 11)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("11 bytes into room for 10: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
	d.Empty()
	_, err = f.Write(make([]byte, 11))
	must(t, err)
}

func TestRenameIsWholeOrNothing(t *testing.T) {
	d := Mount(t, 2)
	path, temp := filepath.Join(d.Dir(), "x"), filepath.Join(d.Dir(), "x.new")
	put(t, path, []byte("old"), "file", "folder")
	for i := range 20 {
		put(t, temp, []byte{byte(i)}, "file")
		must(t, os.Rename(temp, path))
		d.Cut()
		d.Restore()
		if got, err := os.ReadFile(path); err != nil || string(got) != "old" && (len(got) != 1 || got[0] > byte(i)) {
			t.Fatalf("cut %d: %q, %v", i, got, err)
		}
	}
}
