package selector

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestAnInputReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Selector{Class: Class(rapid.String().Draw(t, "class")), Form: rapid.String().Draw(t, "form"), Value: rapid.String().Draw(t, "value"), Rule: rapid.IntRange(0, 1<<40).Draw(t, "rule")}
		in := s.Input()
		if got, err := FromInput(in); err != nil || got != s {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := FromInput(in[:rapid.IntRange(0, len(in)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("an input that was cut short is read")
		}
		if _, err := FromInput(append(in, 0)); err == nil {
			t.Fatal("an input with a byte more is read")
		}
	})
}

// FuzzFromInput reads what a member says that it asked: one spelling, no panic.
func FuzzFromInput(f *testing.F) {
	f.Add(Selector{Class: Email, Form: "exact", Value: "a@mail-one.net", Rule: 1}.Input())
	f.Add([]byte("\x00\x00\x00\x14parallax/selector/v1\xff\xff\xff\xff"))
	f.Add([]byte("parallax/dummy/v1\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := FromInput(raw); err == nil && !bytes.Equal(s.Input(), raw) {
			t.Fatalf("%q is a second spelling of %+v", raw, s)
		}
	})
}
