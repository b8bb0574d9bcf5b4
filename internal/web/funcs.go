package web

import (
	"bytes"
	"fmt"
	"html/template"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parallax/internal/web/chart"
)

// funcs are the functions that every template has.
func (k *Kit) funcs() template.FuncMap {
	return template.FuncMap{
		"show":   k.component,
		"moment": Moment,
		"day":    Day,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"isoday": func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"number": func(n int) string { return Number(int64(n)) },
		"slug":   Slug,
		"chart":  func(c chart.Chart) template.HTML { return c.SVG() },
		"charttable": func(c chart.Chart) Table {
			return chartTable(c.Data())
		},
		"either": func(a, b string) string {
			if a != "" {
				return a
			}
			return b
		},
		"max": func(a, b int) int { return max(a, b) },
	}
}

// component renders one component, or several, with the template of its type.
// What it returns was made by html/template, which is why it may be inserted.
func (k *Kit) component(v any) (template.HTML, error) {
	if many, ok := v.([]any); ok {
		var all strings.Builder
		for _, one := range many {
			part, err := k.component(one)
			if err != nil {
				return "", err
			}
			all.WriteString(string(part))
		}
		return template.HTML(all.String()), nil //nolint:gosec // rendered by html/template above
	}
	name, err := templateOf(v)
	if err != nil || name == "" {
		return "", err
	}
	var buf bytes.Buffer
	if err := k.show.ExecuteTemplate(&buf, name, v); err != nil {
		return "", err
	}
	return template.HTML(buf.String()), nil //nolint:gosec // rendered by html/template just now
}

// templateOf is the name of a component's template, empty for nil.
func templateOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return "text", nil
	case Link, Cell:
		return strings.ToLower(reflect.TypeOf(v).Name()) + "-block", nil
	case Text, Section, Split, Badge, Table, Empty, Notice, Disclosure, Facts, Terms, Timeline, Steps, Meter,
		List, Checks, Code, Figure, Poll, Passkey, Actions, Field, Form:
		return strings.ToLower(reflect.TypeOf(v).Name()), nil
	default:
		return "", fmt.Errorf("web: %T is no component", v)
	}
}

func chartTable(d chart.Data) Table {
	t := Table{ID: Slug(d.Caption) + "-figures", Caption: d.Caption}
	for i, label := range d.Columns {
		t.Columns = append(t.Columns, Column{Label: label, Numeric: i > 0 && d.Numeric})
	}
	for _, row := range d.Rows {
		cells := make([]Cell, len(row))
		for i, text := range row {
			cells[i] = T(text)
		}
		t.Rows = append(t.Rows, Row{Cells: cells})
	}
	return t
}

// Moment is a time as it is shown: UTC, to the minute.
func Moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// Day is a date as it is shown.
func Day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// Number is a whole number as it is shown, in groups of three digits.
func Number(n int64) string { return chart.Number(n) }

// Slug is text as an id in a page: lower-case letters, digits and hyphens.
func Slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := strings.Trim(b.String(), "-")
	if slug == "" {
		return "part-" + strconv.Itoa(len(text))
	}
	return slug
}
