// Package fault is the few kinds of error that Parallax tells apart, and the
// one rule about them: the sentence of a fault is written for the person who
// receives it and is safe to show; the cause is for the log and is never shown.
//
// Code anywhere below the edge returns faults; only the edge (the HTTP
// handlers, the command line) turns them into status codes and words. An error
// that is no fault has kind Internal and shows a constant sentence.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what the receiver of an error can do about it.
type Kind uint8

const (
	// Internal is the kind of every error that is not a fault: something broke
	// here, and nothing the caller sends would change that.
	Internal Kind = iota
	// Invalid: the input cannot be accepted as it is; changing it may help.
	Invalid
	// NotFound: there is no such thing, or none that this caller may know of.
	NotFound
	// Forbidden: the caller may not do this.
	Forbidden
	// Conflict: the thing is in a state that does not allow this, or two acts met.
	Conflict
	// Unavailable: a part that is needed is down or over its limit; the same
	// request may succeed later.
	Unavailable
)

// String is the word used in logs and in problem documents.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not-found"
	case Forbidden:
		return "forbidden"
	case Conflict:
		return "conflict"
	case Unavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// internalSentence is all that is shown of an error that is not a fault.
const internalSentence = "Something went wrong here. Nothing further was done."

// Error is a fault: a kind, one safe sentence and, for the log, a cause.
type Error struct {
	kind     Kind
	sentence string
	cause    error
}

// New returns a fault without a cause.
func New(kind Kind, sentence string) error { return &Error{kind: kind, sentence: sentence} }

// Newf is New with a formatted sentence. The arguments are shown to the
// receiver: they must never hold an identifier, a key, a payload or a token.
func Newf(kind Kind, format string, args ...any) error {
	return &Error{kind: kind, sentence: fmt.Sprintf(format, args...)}
}

// Wrap returns a fault with a cause that only the log sees. A nil cause gives
// a nil error, so that a call's error can be wrapped without looking first.
func Wrap(kind Kind, sentence string, cause error) error {
	if cause == nil {
		return nil
	}
	return &Error{kind: kind, sentence: sentence, cause: cause}
}

// Error is the text for the log: the sentence and the causes.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.sentence
	}
	return e.sentence + ": " + e.cause.Error()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the outermost fault in err, or Internal where there is
// none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.kind
	}
	return Internal
}

// Is reports whether err is a fault of this kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Sentence is what the receiver of err may read: the sentence of the outermost
// fault, a constant one for any other error, and nothing for nil.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.sentence
	}
	return internalSentence
}
