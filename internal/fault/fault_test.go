package fault

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestKindAndSentence(t *testing.T) {
	plain := New(NotFound, "There is no such lead.")
	wrapped := Wrap(Unavailable, "The store cannot be reached.", io.ErrUnexpectedEOF)
	cases := []struct {
		name     string
		err      error
		kind     Kind
		sentence string
	}{
		{"a fault", plain, NotFound, "There is no such lead."},
		{"a fault with a cause", wrapped, Unavailable, "The store cannot be reached."},
		{"a fault inside another error", fmt.Errorf("reading: %w", plain), NotFound, "There is no such lead."},
		{"the outermost of two", Wrap(Conflict, "It was closed meanwhile.", plain), Conflict, "It was closed meanwhile."},
		{"formatted", Newf(Invalid, "Give at most %d rows.", 16), Invalid, "Give at most 16 rows."},
		{"no fault", errors.New("dial tcp 10.0.0.1: refused"), Internal, internalSentence},
		{"nothing", nil, Internal, ""},
	}
	for _, c := range cases {
		if got := KindOf(c.err); got != c.kind {
			t.Errorf("%s: kind %v, want %v", c.name, got, c.kind)
		}
		if got := Sentence(c.err); got != c.sentence {
			t.Errorf("%s: sentence %q, want %q", c.name, got, c.sentence)
		}
	}
}

func TestCauseIsForTheLogOnly(t *testing.T) {
	err := Wrap(Invalid, "The file cannot be read.", errors.New("row 3: secret-looking"))
	if strings.Contains(Sentence(err), "secret-looking") {
		t.Error("the cause is in the sentence")
	}
	if !strings.Contains(err.Error(), "secret-looking") {
		t.Error("the cause is not in the text for the log")
	}
	if !errors.Is(Wrap(Invalid, "x", io.EOF), io.EOF) {
		t.Error("the cause cannot be found")
	}
}

func TestWrapOfNothingIsNothing(t *testing.T) {
	if err := Wrap(Invalid, "x", nil); err != nil {
		t.Errorf("Wrap(nil) = %v", err)
	}
	if Is(nil, Internal) {
		t.Error("nil is no error of any kind")
	}
	if !Is(New(Forbidden, "x"), Forbidden) {
		t.Error("Is misses its own kind")
	}
}

func TestKindWords(t *testing.T) {
	seen := map[string]bool{}
	for k := Internal; k <= Unavailable; k++ {
		if w := k.String(); w == "" || seen[w] {
			t.Errorf("kind %d has no word of its own: %q", k, w)
		} else {
			seen[w] = true
		}
	}
}
