package sim

import (
	"encoding/json"
	"fmt"
	"io"
)

// RunWrite draws a world and writes it.
func RunWrite(out io.Writer, p Params, dir string) error {
	w, err := New(p)
	if err != nil {
		return err
	}
	if err := w.Write(dir); err != nil {
		return err
	}
	rows := 0
	for _, o := range organisations {
		rows += len(w.Rows[o.ID])
	}
	_, err = fmt.Fprintf(out, "%d rows of %d organisations written to %s; only the scorer reads %s\n", rows, len(organisations), dir, TruthFile)
	return err
}

// RunScore scores a directory and prints the score as text or JSON.
func RunScore(out io.Writer, dir string, asJSON bool) error {
	s, err := ScoreDir(dir)
	if err != nil {
		return err
	}
	if !asJSON {
		s.Text(out)
		return nil
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}
