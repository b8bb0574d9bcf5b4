package recordkeys

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A Deletion is one line of the list: which records were deleted, when and why.
type Deletion struct {
	Number int      `json:"number"`
	Before string   `json:"before"` // hash of the line before
	Time   int64    `json:"time"`
	Why    string   `json:"why"` // one word
	IDs    [][]byte `json:"ids"`
}

// A List is the file of what was deleted. A line is on the disk before the
// record's key is destroyed, and each carries the hash of the one before.
type List struct {
	path string
	mu   sync.Mutex
}

// NewList is the list in a file, which need not be there yet.
func NewList(path string) *List { return &List{path: path} }

// Path is where the list is.
func (l *List) Path() string { return l.path }

func lineHash(line []byte) string {
	h := sha256.Sum256(append([]byte("parallax/deletion/v1\x00"), line...))
	return hex.EncodeToString(h[:])
}

// perLine bounds the ids of one line.
const perLine = 1000

// Add writes deletions and returns once they are on the disk.
func (l *List) Add(why string, at int64, ids [][]byte) error {
	if len(ids) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("list of deletions: %w", err)
	}
	defer f.Close()
	last, end, err := scan(f, func(Deletion) error { return nil })
	if err != nil {
		return err
	}
	// What follows is a line that a crash tore: its keys were not destroyed.
	if err := f.Truncate(end); err != nil {
		return fmt.Errorf("list of deletions: %w", err)
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return err
	}
	for len(ids) > 0 {
		n := min(perLine, len(ids))
		d := Deletion{Number: last.Number + 1, Before: last.Before, Time: at, Why: why, IDs: ids[:n]}
		line, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if _, err := f.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("list of deletions: %w", err)
		}
		last, ids = Deletion{Number: d.Number, Before: lineHash(line)}, ids[n:]
	}
	return f.Sync()
}

// Each reads the list from its beginning. A line that does not follow from the
// one before is an error: then nothing may be served until it is explained.
func (l *List) Each(do func(Deletion) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.Open(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list of deletions: %w", err)
	}
	defer f.Close()
	_, _, err = scan(f, do)
	return err
}

// scan reads whole lines; last carries in Before the hash of the last line, and
// end is where it ends.
func scan(r io.Reader, do func(Deletion) error) (last Deletion, end int64, err error) {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return last, end, nil
		}
		if err != nil {
			return last, end, err
		}
		var d Deletion
		raw := bytes.TrimSuffix(line, []byte("\n"))
		if err := json.Unmarshal(raw, &d); err != nil || d.Number != last.Number+1 || d.Before != last.Before {
			return last, end, fmt.Errorf("list of deletions: line %d does not follow from the line before it; bring back the whole list, the newest copy that there is", last.Number+1)
		}
		if err := do(d); err != nil {
			return last, end, err
		}
		last, end = Deletion{Number: d.Number, Before: lineHash(raw)}, end+int64(len(line))
	}
}

// Extends reports whether the list in newer begins with all of the list in
// older: the newest copy loses no deletion.
func Extends(older, newer []byte) bool {
	end := bytes.LastIndexByte(older, '\n') + 1
	return bytes.HasPrefix(newer, older[:end])
}
