package survival

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"parallax/estimate/csvtext"
)

// ReadCSV reads time, status and, where there is a third column, group, by
// position; a first line in which neither is a number is a header. Status is 0
// for censored, 1 for the event and 2 or above for competing events.
func ReadCSV(r io.Reader) (all []Subject, err error) {
	text, err := csvtext.Read(r)
	if err != nil {
		return nil, err
	}
	fields := 0
	err = csvtext.Each(csvtext.Rows(text), func(_ int, row []string) error {
		s, err := readRow(row)
		switch {
		case err != nil && fields == 0 && len(row) > 1 && notNumber(row[0]) && notNumber(row[1]):
			fields = len(row)
			return nil
		case err == nil && fields > 0 && len(row) != fields:
			err = fmt.Errorf("%d fields, but there are %d above; give every row its group, or none", len(row), fields)
		}
		if err != nil {
			return err
		}
		fields = len(row)
		if all = append(all, s); len(all) > MaxSubjects {
			return fmt.Errorf("more than %d subjects", MaxSubjects)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, Check(all)
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
