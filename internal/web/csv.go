package web

import (
	"net/http"
	"strings"

	"parallax/internal/vocab"
)

// CSV answers with a table for download, in which no cell is a formula.
func CSV(w http.ResponseWriter, name string, rows [][]string) error {
	var b strings.Builder
	if err := vocab.WriteCSV(&b, rows); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+Slug(strings.TrimSuffix(name, ".csv"))+`.csv"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(b.String())) // the reader may be gone
	return nil
}
