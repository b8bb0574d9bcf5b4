package keyholder

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
	"path/filepath"
	"sync"

	"parallax/signed"
)

// A journal is an append-only file of JSON lines, each chained to the one
// before by SHA-256 and synced before append returns. A last line that cannot be
// read (a crash while writing; a disk may keep its end and lose its beginning)
// is cut off at start: nothing that depended on it was answered. Any other
// damage refuses to start.
type journal struct {
	mu   sync.Mutex
	file *os.File
	head [32]byte
	end  int64 // bytes of the file that are synced lines
	bad  error // set when it is not known what the disk holds: nothing more is appended
}

type journalLine struct {
	Prev string          `json:"prev"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// openJournal opens or creates the file, holds it for this process alone and
// replays every entry in order.
func openJournal(path string, replay func(kind string, data []byte) error) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is in use by another process", path)
	}
	j := &journal{file: f}
	if err := j.replay(replay); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, syncDir(filepath.Dir(path))
}

func (j *journal) replay(apply func(kind string, data []byte) error) error {
	r := bufio.NewReader(j.file)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		var l journalLine
		if bad := json.Unmarshal(line, &l); err != nil || bad != nil {
			if _, more := r.Peek(1); !errors.Is(more, io.EOF) {
				return fmt.Errorf("line %d is damaged: %w", n, errors.Join(bad, more))
			}
			return j.cut()
		}
		if l.Prev != hex.EncodeToString(j.head[:]) {
			return fmt.Errorf("line %d does not follow from the line before", n)
		}
		if err := apply(l.Kind, l.Data); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		j.head = sha256.Sum256(bytes.TrimSuffix(line, []byte("\n")))
		j.end += int64(len(line))
	}
}

// cut takes off whatever follows the last synced line.
func (j *journal) cut() error {
	if err := j.file.Truncate(j.end); err != nil {
		return err
	}
	_, err := j.file.Seek(j.end, io.SeekStart)
	return err
}

// append writes one entry and syncs it. A line that does not fit on the disk is
// taken off again, and the journal goes on when there is room. After any other
// failure it refuses everything until the process restarts and replays what is
// there.
func (j *journal) append(kind string, v any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bad != nil {
		return j.bad
	}
	data, err := signed.Marshal(v)
	if err != nil {
		return err
	}
	line, err := signed.Marshal(journalLine{Prev: hex.EncodeToString(j.head[:]), Kind: kind, Data: data})
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		err = fmt.Errorf("the journal cannot be written: %w", err)
		if left := j.cut(); left != nil {
			j.bad = errors.Join(err, left)
		}
		return err
	}
	if err := j.file.Sync(); err != nil {
		j.bad = fmt.Errorf("the journal cannot be synced: %w", err)
		return j.bad
	}
	j.head, j.end = sha256.Sum256(line), j.end+int64(len(line))+1
	return nil
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bad = errors.New("the journal is closed")
	return j.file.Close()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
