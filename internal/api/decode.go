package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode"
	"unicode/utf8"

	"parallax/internal/fault"
)

// Limits bound a JSON body. A zero field takes the default's value.
type Limits struct {
	Bytes  int64 // of the body as it is read
	Depth  int   // of objects and arrays inside each other
	Values int   // of all values in the body, members' names not counted
}

// DefaultLimits suit a form-sized body.
var DefaultLimits = Limits{Bytes: 1 << 20, Depth: 16, Values: 50_000}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = DefaultLimits.Bytes
	}
	if l.Depth == 0 {
		l.Depth = DefaultLimits.Depth
	}
	if l.Values == 0 {
		l.Values = DefaultLimits.Values
	}
	return l
}

// Decode reads the body of r into v, strictly: the content type says JSON,
// there is exactly one value, it is UTF-8, no object names a member twice (also
// not in another case, which encoding/json would take for the same field), no
// member is unknown to v, and the limits hold. Errors are faults whose
// sentence names no part of the body.
func Decode(w http.ResponseWriter, r *http.Request, limits Limits, v any) error {
	limits = limits.orDefault()
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return Status(http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "Send the body as application/json."))
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.Bytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return Status(http.StatusRequestEntityTooLarge, fault.Newf(fault.Invalid, "The body is larger than %d bytes.", limits.Bytes))
	case err != nil:
		return fault.Wrap(fault.Invalid, "The body could not be read to its end.", err)
	}
	return Parse(raw, limits, v)
}

// Parse is Decode for a body that has been read already.
func Parse(raw []byte, limits Limits, v any) error {
	if err := check(raw, limits.orDefault()); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fault.Wrap(fault.Invalid, "The body does not have the expected form: a member is unknown or of the wrong type.", err)
	}
	return nil
}

var (
	errNotJSON   = fault.New(fault.Invalid, "The body is not one JSON value in UTF-8.")
	errDuplicate = fault.New(fault.Invalid, "An object in the body names a member twice.")
)

// check walks the tokens once, without recursion, before anything is built from
// them.
func check(raw []byte, limits Limits) error {
	if !utf8.Valid(raw) {
		return errNotJSON
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	w := walk{limits: limits}
	for {
		token, err := dec.Token()
		if err == io.EOF && w.whole() {
			return nil
		}
		if err != nil {
			return errNotJSON
		}
		if err := w.step(token); err != nil {
			return err
		}
	}
}

// walk is the state of check: the objects and arrays that are open now.
type walk struct {
	limits Limits
	values int
	open   []frame
	closed bool // the outermost value is complete
}

type frame struct {
	names map[string]struct{} // of an object; nil in an array
	value bool                // in an object: a value comes next, not a name
}

func (w *walk) whole() bool { return w.closed && len(w.open) == 0 }

func (w *walk) step(token json.Token) error {
	if w.whole() {
		return errNotJSON // a second value
	}
	if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
		w.open = w.open[:len(w.open)-1]
		w.done()
		return nil
	}
	if name, ok := w.name(token); ok {
		return w.top().add(name)
	}
	if w.values++; w.values > w.limits.Values {
		return fault.Newf(fault.Invalid, "The body holds more than %d values.", w.limits.Values)
	}
	d, ok := token.(json.Delim)
	if !ok {
		w.done()
		return nil
	}
	if len(w.open) == w.limits.Depth {
		return fault.Newf(fault.Invalid, "The body is nested deeper than %d levels.", w.limits.Depth)
	}
	f := frame{}
	if d == '{' {
		f.names = map[string]struct{}{}
	}
	w.open = append(w.open, f)
	return nil
}

func (w *walk) top() *frame { return &w.open[len(w.open)-1] }

// name reports whether token is a member's name, and which.
func (w *walk) name(token json.Token) (string, bool) {
	if len(w.open) == 0 || w.top().names == nil || w.top().value {
		return "", false
	}
	s, ok := token.(string)
	return s, ok
}

// done notes that a value has ended inside what is open now.
func (w *walk) done() {
	if len(w.open) == 0 {
		w.closed = true
		return
	}
	w.top().value = false
}

func (f *frame) add(name string) error {
	key := fold(name)
	if _, twice := f.names[key]; twice {
		return errDuplicate
	}
	f.names[key] = struct{}{}
	f.value = true
	return nil
}

// fold maps names that encoding/json takes for the same field to one text. It
// compares as strings.EqualFold does: by simple folding, rune by rune.
func fold(name string) string {
	out := make([]rune, 0, len(name))
	for _, r := range name {
		out = append(out, smallest(r))
	}
	return string(out)
}

// smallest is the smallest rune of those that differ from r by case only.
func smallest(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
