package desk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"os"

	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// A Read is one line of the read log: who was about to read which opening.
// Each line carries the hash of the line before, so none can be taken out.
type Read struct {
	Number  int          `json:"number"`
	Before  opening.Hash `json:"before"`
	Time    int64        `json:"time"`
	Who     string       `json:"who"`
	Opening string       `json:"opening"`
	Request opening.Hash `json:"request"`
	Items   int          `json:"items"`
}

func lineHash(line []byte) opening.Hash {
	return sha256.Sum256(append([]byte("parallax/read/v1\x00"), line...))
}

// logRead appends to the read log and returns once the line is on disk. A log
// whose chain is broken takes no line: nothing can be read until it is explained.
func logRead(path string, r Read) (Read, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return r, unlogged(err)
	}
	defer f.Close()
	last, err := checkReads(f)
	if err != nil {
		return r, err
	}
	r.Number, r.Before = last.number+1, last.hash
	line, err := signed.Marshal(r)
	if err != nil {
		return r, err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return r, unlogged(err)
	}
	return r, unlogged(f.Sync())
}

func unlogged(err error) error {
	return fault.Wrap(fault.Unavailable, "The read could not be written to the read log, so nothing was read.", err)
}

type readEnd struct {
	number int
	hash   opening.Hash
}

// checkReads walks the chain to its end.
func checkReads(f *os.File) (readEnd, error) {
	var end readEnd
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r Read
		line := bytes.Clone(lines.Bytes())
		if err := signed.Unmarshal(line, &r); err != nil || r.Number != end.number+1 || r.Before != end.hash {
			return end, fault.Wrap(fault.Conflict, "The read log was changed after it was written; nothing is read until that is explained.", errors.Join(errors.New("broken chain"), err))
		}
		end = readEnd{r.Number, lineHash(line)}
	}
	return end, lines.Err()
}
