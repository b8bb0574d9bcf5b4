package desk

import (
	"bytes"
	"encoding/csv"
	"net/http"

	"parallax/internal/vocab"
)

// csvBytes writes rows for a spreadsheet. A cell that a spreadsheet would take
// for a formula gets an apostrophe in front, so that it stays text.
func csvBytes(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = vocab.Neutral(cell)
		}
		if err := w.Write(safe); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func downloadCSV(w http.ResponseWriter, name string, rows [][]string) error {
	raw, err := csvBytes(rows)
	if err != nil {
		return err
	}
	return download(w, name, "text/csv; charset=utf-8", raw)
}
