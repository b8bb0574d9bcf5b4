package desk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// A Read is one line of the desk's own log: who was about to read or to sign
// something about which opening.
// Each line carries the hash of the line before, so none can be taken out.
type Read struct {
	Number  int          `json:"number"`
	Before  opening.Hash `json:"before"`
	Time    int64        `json:"time"`
	Who     string       `json:"who"`
	Opening string       `json:"opening"`
	Request opening.Hash `json:"request"`
	Items   int          `json:"items"`
	// Act is what somebody was about to sign, with the digest of the reason;
	// empty where something was read.
	Act    string       `json:"act,omitempty"`
	Reason opening.Hash `json:"reason,omitzero"`
}

func lineHash(line []byte) opening.Hash {
	return sha256.Sum256(append([]byte("parallax/read/v1\x00"), line...))
}

// logRead appends to the read log and returns once the line is on disk, with
// where the log ends then. A log whose chain is broken, or that does not hold
// what was anchored, takes no line: nothing can be read until it is explained.
func logRead(path string, r Read, anchored client.ReadsHead) (Read, readEnd, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return r, readEnd{}, unlogged(err)
	}
	defer f.Close()
	end, err := checkReads(f, anchored)
	if err != nil {
		return r, end, err
	}
	// What follows is a line that a crash tore: nothing was read after it.
	if err := f.Truncate(end.size); err != nil {
		return r, end, unlogged(err)
	}
	r.Number, r.Before = end.Count+1, end.Head
	line, err := signed.Marshal(r)
	if err != nil {
		return r, end, err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return r, end, unlogged(err)
	}
	end.add(r, line, anchored.Count)
	return r, end, unlogged(errors.Join(f.Sync(), syncFolder(filepath.Dir(path))))
}

// syncFolder makes sure of the names in a folder.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func unlogged(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Unavailable, "The read could not be written to the read log, so nothing was read.", err)
}

// A readEnd is where the whole lines of a read log end.
type readEnd struct {
	client.ReadsHead
	size int64 // bytes
	// open is the time of the oldest line that is not anchored, in UTC
	// microseconds; 0 where there is none.
	open int64
}

// add counts a whole line, given without its end.
func (e *readEnd) add(r Read, line []byte, anchored int) {
	e.ReadsHead = client.ReadsHead{Count: r.Number, Head: lineHash(line)}
	e.size += int64(len(line)) + 1
	if e.open == 0 && r.Number > anchored {
		e.open = r.Time
	}
}

var errReadsChanged = errors.New("broken chain")

func readsChanged(err error) error {
	return fault.Wrap(fault.Conflict, "The read log was changed after it was written; nothing is read until that is explained.", errors.Join(errReadsChanged, err))
}

// checkReads walks the chain to its end, past what was anchored. A last line
// that cannot be read is one that a crash tore, and does not count; any other
// such line was changed.
func checkReads(f *os.File, anchored client.ReadsHead) (readEnd, error) {
	var end readEnd
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return end, err
		}
		var r Read
		whole := bytes.TrimSuffix(line, []byte("\n"))
		torn := signed.Unmarshal(whole, &r)
		if _, more := in.Peek(1); (torn != nil || err != nil) && errors.Is(more, io.EOF) {
			break
		}
		if torn != nil || r.Number != end.Count+1 || r.Before != end.Head {
			return end, readsChanged(torn)
		}
		if end.add(r, whole, anchored.Count); end.Count == anchored.Count && end.Head != anchored.Head {
			return end, readsChanged(errors.New("another line was anchored at the hub"))
		}
	}
	if end.Count < anchored.Count {
		return end, fault.Newf(fault.Conflict, "The read log has %d lines, and %d were anchored at the hub; nothing is read until that is explained.", end.Count, anchored.Count)
	}
	return end, nil
}
