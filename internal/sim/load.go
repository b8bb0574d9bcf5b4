package sim

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"parallax/internal/fault"
)

// Data is a simulated ecosystem as its files have it.
type Data struct {
	Truth Truth
	Rows  map[string][]Row // by organisation
}

// Load reads the exports and the truth of a directory that Write filled.
func Load(dir string) (*Data, error) {
	truth, err := loadTruth(dir)
	if err != nil {
		return nil, err
	}
	d := &Data{Truth: truth, Rows: make(map[string][]Row)}
	for _, o := range organisations {
		rows, err := loadExport(filepath.Join(dir, ExportFile(o)), o)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			subject, ok := truth.subjects[rowKey(o.ID, rows[i].Reference)]
			if !ok {
				return nil, fault.New(fault.Invalid, fmt.Sprintf("row %d of %s is not in the truth file; the files belong to different worlds", i+1, o.ID))
			}
			rows[i].subject = subject
		}
		d.Rows[o.ID] = rows
	}
	return d, nil
}

func loadExport(path string, o Organisation) ([]Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, "the export of "+o.ID+" cannot be opened", err)
	}
	defer f.Close()
	read := readCSV
	if o.Sector == SectorPlatform {
		read = readNDJSON
	}
	var rows []Row
	err = read(bufio.NewReader(f), func(cells map[string]string) {
		row := Row{Organisation: o.ID}
		for _, c := range columnsOf(o.Sector) {
			*c.cell(&row) = cells[c.name]
		}
		rows = append(rows, row)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "the export of "+o.ID+" cannot be read", err)
	}
	return rows, nil
}

func readCSV(r io.Reader, row func(map[string]string)) error {
	in := csv.NewReader(r)
	heading, err := in.Read()
	if err != nil {
		return err
	}
	for {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		cells := make(map[string]string, len(line))
		for i, v := range line {
			cells[heading[i]] = v
		}
		row(cells)
	}
}

func readNDJSON(r io.Reader, row func(map[string]string)) error {
	d := json.NewDecoder(r)
	for {
		var cells map[string]string
		if err := d.Decode(&cells); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		row(cells)
	}
}
