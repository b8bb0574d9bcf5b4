package baseline

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"parallax/internal/shareddata"
)

// TestPublishedCountsAreFlagged: the traps that are known of these series.
func TestPublishedCountsAreFlagged(t *testing.T) {
	list, err := PublishedCounts()
	must(t, err)
	find := func(series, period string) Published {
		t.Helper()
		for _, p := range list {
			if p.Series == series && p.Period == period {
				return p
			}
		}
		t.Fatalf("no %s of %s", series, period)
		return Published{}
	}
	for _, c := range []struct {
		series, period string
		value          int64
		flag           string
		change         bool
	}{
		{"NCMEC CyberTipline reports", "2023", 36_210_368, "", true},
		{"NCMEC CyberTipline reports", "2024", 20_500_000, "bundled", false},
		{"NCMEC reports about Australia", "2022", 182_050, "stands out", true},
		{"NCMEC reports about Australia", "2023", 74_919, "not independent", true},
		{"ACCCE reports received", "FY2024-25", 82_764, "mostly made from NCMEC", true},
		{"INHOPE records exchanged", "2023", 785_322, "says +25 %, but its own figures give +33.6 %", true},
		{"INHOPE records exchanged", "2024", 2_497_438, "", true},
	} {
		p := find(c.series, c.period)
		flags := strings.Join(p.Flags, "; ")
		if p.Value != c.value || !strings.Contains(flags, c.flag) || c.flag == "" && flags != "" || (p.Change != nil) != c.change {
			t.Errorf("%s %s: %d, change %v, flags %q", c.series, c.period, p.Value, p.Change, flags)
		}
	}
}

// TestPublishedCountsAreTheSources compares what ships with the data set that it
// was transcribed from.
func TestPublishedCountsAreTheSources(t *testing.T) {
	values := map[string]bool{}
	for _, file := range []string{"counts.csv", "ncmec_by_country.csv"} {
		rows, err := csv.NewReader(bytes.NewReader(shareddata.Read(t, "statistics", "public_counts", file))).ReadAll()
		must(t, err)
		for _, row := range rows {
			for _, cell := range row {
				values[cell] = true
			}
		}
	}
	list, err := PublishedCounts()
	must(t, err)
	for _, p := range list {
		if !values[strconv.FormatInt(p.Value, 10)] {
			t.Errorf("%s %s: %d is not in the sources", p.Series, p.Period, p.Value)
		}
	}
}

// TestPublishedCountsRefuse what would be compared wrongly.
func TestPublishedCountsRefuse(t *testing.T) {
	head := strings.Join(publishedHead, ",") + "\n"
	for name, text := range map[string]string{
		"no header":                          "series,value\n",
		"no number":                          head + "a,x,2020,many,reports,r,1,read,,,,s\n",
		"no unit":                            head + "a,x,2020,1,,r,1,read,,,,s\n",
		"unit changes":                       head + "a,x,2020,1,reports,r,1,read,,,,s\na,x,2021,1,people,r,1,read,,,,s\n",
		"definition changes without a break": head + "a,x,2020,1,reports,r,1,read,,,,s\na,x,2021,1,reports,r,2,read,,,,s\n",
	} {
		if _, err := ReadPublished(strings.NewReader(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
