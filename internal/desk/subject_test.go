package desk

import (
	"fmt"
	"regexp"
	"testing"

	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/selector"
)

var subjectNumber = regexp.MustCompile(`[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}`)

// Whoever asks gets the same answer, the hub gets a message of the same size,
// and the desk does the same statements and reads as many rows, whether nothing,
// one or several records hold the identifier; what is found reaches the
// authority alone.
func TestTheAnswerToAPersonIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.daily = 4096
	bank, police := joinedPair(t, w)
	submitFile(t, bank, people+"R3,second.person@gmail.com,\nR4,FIRST.person@gmail.com,\n")
	type told struct{ answer, work string }
	seen := make(map[told]bool)
	values := []string{"nobody.here@gmail.com", "second.person@gmail.com", "first.person@gmail.com", "nobody.else@gmail.com"}
	for _, v := range values {
		var work []string
		ctx := store.Watch(t.Context(), func(q string, args []any) { work = append(work, fmt.Sprint(q, len(args))) })
		a, err := bank.Subject(ctx, SubjectRequest{Class: selector.Email, Value: v, Proof: "code-sent", Checked: "privacy officer"})
		must(t, err)
		seen[told{subjectNumber.ReplaceAllString(a.Text, "N"), fmt.Sprint(work)}] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers or ways: %v", len(seen), seen)
	}
	for _, n := range w.posted {
		if n != w.posted[0] {
			t.Errorf("findings of different sizes: %v", w.posted)
		}
	}
	list, err := police.Subjects(t.Context())
	must(t, err)
	for i, held := range []int{0, 2, 2, 0} {
		if f := list[i]; f.Held != held || len(f.Labels) != held || f.Proof != "code-sent" || f.Org != "bank" {
			t.Errorf("%s: %+v", values[i], f)
		}
	}
	if _, err := bank.Subjects(t.Context()); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a contributor reads findings: %v", err)
	}
	for name, r := range map[string]SubjectRequest{
		"no proof":   {Class: selector.Email, Value: values[0], Checked: "privacy officer"},
		"no checker": {Class: selector.Email, Value: values[0], Proof: "code-sent"},
		"no address": {Class: selector.Email, Value: "nothing", Proof: "code-sent", Checked: "privacy officer"},
	} {
		if _, err := bank.Subject(t.Context(), r); fault.KindOf(err) != fault.Invalid || len(w.posted) != len(values) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
