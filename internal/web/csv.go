package web

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"parallax/internal/vocab"
)

// CSV answers with a table for download. A cell that a spreadsheet would take
// for a formula begins with an apostrophe; plain numbers stay as they are.
func CSV(w http.ResponseWriter, name string, rows [][]string) error {
	var b strings.Builder
	out := csv.NewWriter(&b)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = noFormula(cell)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+Slug(strings.TrimSuffix(name, ".csv"))+`.csv"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(b.String())) // the reader may be gone
	return out.Error()
}

func noFormula(cell string) string {
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return vocab.Neutral(cell)
}
