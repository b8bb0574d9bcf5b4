package sim

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"

	"parallax/selector"
)

// Names of the files beside the exports.
const (
	TruthFile  = "truth.ndjson"
	MappingDir = "mappings"
)

// ExportFile is the name of an organisation's export.
func ExportFile(o Organisation) string {
	if o.Sector == SectorPlatform {
		return o.ID + ".ndjson"
	}
	return o.ID + ".csv"
}

// Write puts every export, its mapping and the truth file into dir, which it
// makes if need be. Same world, same bytes.
func (w *World) Write(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, MappingDir), 0o755); err != nil {
		return err
	}
	for _, o := range organisations {
		write := w.writeCSV
		if o.Sector == SectorPlatform {
			write = w.writeNDJSON
		}
		if err := toFile(filepath.Join(dir, ExportFile(o)), func(b *bufio.Writer) error { return write(b, o) }); err != nil {
			return err
		}
		err := toFile(filepath.Join(dir, MappingDir, o.ID+".json"), func(b *bufio.Writer) error { return writeMapping(b, o) })
		if err != nil {
			return err
		}
	}
	return toFile(filepath.Join(dir, TruthFile), w.writeTruth)
}

func toFile(path string, write func(*bufio.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		f.Close()
		return err
	}
	if err := b.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (w *World) writeCSV(b *bufio.Writer, o Organisation) error {
	columns := columnsOf(o.Sector)
	out := csv.NewWriter(b)
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = c.name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	rows := w.Rows[o.ID]
	for r := range rows {
		for i, c := range columns {
			line[i] = *c.cell(&rows[r])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeNDJSON leaves out what is not known, as a platform's report does.
func (w *World) writeNDJSON(b *bufio.Writer, o Organisation) error {
	columns, rows := columnsOf(o.Sector), w.Rows[o.ID]
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for r := range rows {
		object := make(map[string]string)
		for _, c := range columns {
			if v := *c.cell(&rows[r]); v != "" {
				object[c.name] = v
			}
		}
		if err := enc.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

// A mapping in the form that a desk reads: which column holds which selector
// of the subject. Counterparties are left out, they are not the subject, and
// so are IP addresses, which never link people.
type mapping struct {
	Format    string                   `json:"format"`
	Columns   map[string]mappingColumn `json:"columns"`
	Reference string                   `json:"reference"`
	Role      string                   `json:"role"`
	Grade     string                   `json:"grade"`
	Strength  string                   `json:"strength"`
	Kind      string                   `json:"kind"`
	Date      string                   `json:"date"`
	Platform  string                   `json:"platform,omitempty"`
	Origin    string                   `json:"origin"`
	Venue     string                   `json:"venue,omitempty"`
}

type mappingColumn struct {
	Class   selector.Class `json:"class"`
	Country string         `json:"country,omitempty"`
	Prefix  string         `json:"prefix,omitempty"`
}

func writeMapping(b *bufio.Writer, o Organisation) error {
	m := mapping{Format: "csv", Columns: make(map[string]mappingColumn), Reference: "reference", Role: "role",
		Grade: "grade", Strength: "strength", Kind: "kind", Date: "date", Origin: "origin"}
	if o.Sector == SectorPlatform {
		m.Format = "ndjson"
	}
	for _, c := range columnsOf(o.Sector) {
		switch c.class {
		case "", selector.IP:
			switch c.name {
			case colPlatform.name:
				m.Platform = c.name
			case colVenue.name:
				m.Venue = c.name
			}
			continue
		}
		x := mappingColumn{Class: c.class}
		switch c.class {
		case selector.Phone, selector.PayID:
			x.Country = country
		case selector.Bank:
			x.Country, x.Prefix = country, colBSB.name
		}
		m.Columns[c.name] = x
	}
	enc := json.NewEncoder(b)
	enc.SetIndent("", "  ")
	return enc.Encode(m)
}

const country = "AU"
