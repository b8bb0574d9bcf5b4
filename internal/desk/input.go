package desk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parallax/internal/fault"
)

// An Input is a member's file: on disk, or held in memory because a browser
// sent it. It is read several times, always from the start.
type Input interface {
	Name() string // the file's name, without its folder
	Open() (io.ReadCloser, error)
}

// File is an Input on disk, by its path.
type File string

// Name is the last part of the path.
func (f File) Name() string { return filepath.Base(string(f)) }

// Open opens the file.
func (f File) Open() (io.ReadCloser, error) {
	r, err := os.Open(string(f))
	if err != nil {
		return nil, cannotOpen(f, err)
	}
	st, err := r.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(cannotOpen(f, err), r.Close())
	case st.IsDir():
		r.Close()
		return nil, invalid("%s is a directory; name a CSV or NDJSON file", f)
	case !st.Mode().IsRegular():
		r.Close()
		return nil, invalid("%s is not an ordinary file; name a CSV or NDJSON file", f)
	}
	return r, nil
}

func cannotOpen(f File, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fault.Wrap(fault.Invalid, fmt.Sprintf("%s cannot be opened: %v", f, err), err)
}

// Held is an Input in memory; nothing of it is on disk.
type Held struct {
	name string
	data []byte
}

// Hold reads r into memory. What is no table by its first bytes is refused
// before anything more is read; what is longer than limit bytes is refused.
func Hold(r io.Reader, name string, limit int64) (Held, error) {
	head, err := readHead(r)
	if err != nil {
		return Held{}, fmt.Errorf("read the upload: %w", err)
	}
	if err := refuse(head); err != nil {
		return Held{}, err
	}
	b := bytes.NewBuffer(head)
	if _, err := io.Copy(b, io.LimitReader(r, limit-int64(len(head))+1)); err != nil {
		return Held{}, fault.Wrap(fault.Invalid, "The file could not be read to its end; send it again.", err)
	}
	if int64(b.Len()) > limit {
		return Held{}, invalid("the file is larger than %d MB, the most that is held in memory; type its path instead, and it is read where it is", limit>>20)
	}
	return Held{name: filepath.Base(filepath.ToSlash(name)), data: b.Bytes()}, nil
}

// Name is the name that the browser gave.
func (h Held) Name() string { return h.name }

// Open starts at the beginning.
func (h Held) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(h.data)), nil }

// Size is how many bytes are held.
func (h Held) Size() int64 { return int64(len(h.data)) }

// String hides the content.
func (h Held) String() string { return "[held file]" }

// GoString hides the content.
func (h Held) GoString() string { return "[held file]" }

// readHead reads the first bytes, by which media and other encodings are known.
func readHead(r io.Reader) ([]byte, error) {
	head := make([]byte, magicBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}
