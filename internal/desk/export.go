package desk

import (
	"bytes"
	"net/http"

	"parallax/internal/vocab"
)

// csvBytes writes rows for a spreadsheet, in which no cell is a formula.
func csvBytes(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	err := vocab.WriteCSV(&b, rows)
	return b.Bytes(), err
}

func downloadCSV(w http.ResponseWriter, name string, rows [][]string) error {
	raw, err := csvBytes(rows)
	if err != nil {
		return err
	}
	return download(w, name, "text/csv; charset=utf-8", raw)
}
