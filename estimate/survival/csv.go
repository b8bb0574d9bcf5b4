package survival

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReadCSV reads time, status and, where there is a third column, group, by
// position; a first line that does not begin with a number is a header. Status
// is 0 for censored, 1 for the event and 2 or above for competing events.
func ReadCSV(r io.Reader) (all []Subject, err error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.TrimLeadingSpace = true
	rows.ReuseRecord = true
	for line := 1; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return all, Check(all)
		}
		if err != nil {
			return nil, fmt.Errorf("not a CSV file: %w", err)
		}
		s, err := readRow(row)
		if err != nil {
			if line == 1 && notNumber(row[0]) {
				continue
			}
			at, _ := rows.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
		if all = append(all, s); len(all) > MaxSubjects {
			return nil, fmt.Errorf("more than %d subjects", MaxSubjects)
		}
	}
}

func notNumber(s string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return errors.Is(err, strconv.ErrSyntax)
}

func readRow(row []string) (s Subject, err error) {
	if len(row) != 2 && len(row) != 3 {
		return s, fmt.Errorf("%d fields; give time, status and, to compare groups, group", len(row))
	}
	s.Time, err = strconv.ParseFloat(strings.TrimSpace(row[0]), 64)
	if err != nil || !(s.Time >= 0) || s.Time > 1e12 {
		return s, fmt.Errorf("the time %.40q is not a number of 0 or more", row[0])
	}
	s.Cause, err = strconv.Atoi(strings.TrimSpace(row[1]))
	if err != nil || s.Cause < 0 || s.Cause > 99 {
		return s, fmt.Errorf("the status %.40q must be 0 (censored), 1 (event) or 2 and above (a competing event)", row[1])
	}
	if len(row) == 3 {
		s.Group = strings.TrimSpace(row[2])
	}
	return s, nil
}
