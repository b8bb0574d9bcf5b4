package law

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
	"parallax/internal/vocab"
)

// MaxFile bounds a YAML file, in bytes.
const MaxFile = 4 << 20

// Strict decodes the one YAML document in raw into v. Every problem is a fault
// of kind invalid that names the file and the line.
func Strict(name string, raw []byte, v any) error {
	_, err := decode(name, raw, v, func(string) bool { return false })
	return err
}

// Lenient is Strict for files that people keep notes in: a key that is like none
// that is read is passed over and reported, with its line. One that differs from a
// known key by a slip of the pen is refused all the same.
func Lenient(name string, raw []byte, v any) (unread []string, err error) {
	known := keys(reflect.TypeOf(v), map[reflect.Type]bool{})
	return decode(name, raw, v, func(key string) bool {
		return !slices.ContainsFunc(known, func(k string) bool { return vocab.Distance(key, k) <= slip })
	})
}

// slip is how many letters a key may differ from a known one and still be taken
// for a slip.
const slip = 2

// decode reads the one document of a file; note says of a key that nobody reads
// whether it is a note.
func decode(name string, raw []byte, v any, note func(key string) bool) (unread []string, err error) {
	if len(raw) > MaxFile {
		return nil, fault.Newf(fault.Invalid, "%s: is above %d MB", name, MaxFile>>20)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	err = dec.Decode(v)
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		typed.Errors = slices.DeleteFunc(typed.Errors, func(l string) bool {
			m := unknownKey.FindStringSubmatch(l)
			if m == nil || !note(m[2]) {
				return false
			}
			unread = append(unread, fmt.Sprintf("%s: line %s: key %q is not read", name, m[1], m[2]))
			return true
		})
		if len(typed.Errors) == 0 {
			err = nil
		}
	}
	if errors.Is(err, io.EOF) {
		return nil, fault.Newf(fault.Invalid, "%s: is empty", name)
	}
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%s: %s", name, readable(err, v))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fault.Newf(fault.Invalid, "%s: holds a second document", name)
	}
	return unread, nil
}

var (
	unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type \S+`)
	doubled    = regexp.MustCompile(`line (\d+): mapping key "([^"]*)" already defined at line (\d+)`)
)

// readable is a decoding error in the words of the file, not of the program.
func readable(err error, v any) string {
	lines := []string{err.Error()}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	for i, l := range lines {
		l = strings.TrimPrefix(l, "yaml: ")
		l = doubled.ReplaceAllString(l, `line $1: key "$2" is given twice (first on line $3)`)
		if m := unknownKey.FindStringSubmatch(l); m != nil {
			l = "line " + m[1] + ": " + route.Unknown("key", m[2], keys(reflect.TypeOf(v), map[reflect.Type]bool{}))
		}
		lines[i] = l
	}
	return strings.Join(lines, "; ")
}

// keys are all YAML keys that a type can hold, to name the nearest one.
func keys(t reflect.Type, seen map[reflect.Type]bool) (out []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	for f := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(f).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			out = append(out, name)
		}
		out = append(out, keys(t.Field(f).Type, seen)...)
	}
	return out
}

// UniqueIDs reports the first id that stands twice among the items of one kind
// of list (all "gateways", all "cases"), with both lines.
func UniqueIDs(name string, raw []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return fault.Newf(fault.Invalid, "%s: %s", name, readable(err, root))
	}
	return uniqueIn(name, &root, "", map[[2]string]int{})
}

func uniqueIn(name string, n *yaml.Node, list string, seen map[[2]string]int) error {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Value == "id" && value.Kind == yaml.ScalarNode {
				at := [2]string{list, value.Value}
				if first, ok := seen[at]; ok {
					return fault.Newf(fault.Invalid, "%s: line %d: id %q is given twice (first on line %d)", name, value.Line, value.Value, first)
				}
				seen[at] = value.Line
			}
			if err := uniqueIn(name, value, key.Value, seen); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range n.Content {
		if err := uniqueIn(name, c, list, seen); err != nil {
			return err
		}
	}
	return nil
}

// Lines gives the line of each id in the lists of one name.
func Lines(raw []byte, list string) map[string]int {
	out := map[string]int{}
	var root yaml.Node
	if yaml.Unmarshal(raw, &root) != nil {
		return out
	}
	var walk func(n *yaml.Node, in string)
	walk = func(n *yaml.Node, in string) {
		if n.Kind != yaml.MappingNode {
			for _, c := range n.Content {
				walk(c, in)
			}
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Value == "id" && in == list {
				out[value.Value] = value.Line
			}
			walk(value, key.Value)
		}
	}
	walk(&root, "")
	return out
}

// at prefixes a sentence with the file and, where it is known, the line.
func at(name string, line int, format string, args ...any) string {
	if line > 0 {
		name = fmt.Sprintf("%s: line %d", name, line)
	}
	return name + ": " + fmt.Sprintf(format, args...)
}
