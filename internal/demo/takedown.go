package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"parallax/internal/vocab"
	"parallax/opening"
)

// Who was seen around the intervention: nobody acts on a venue in the simulated
// world, so these are made up for this one page. Usernames stand in no other
// desk's export and are counted in no estimate.
const (
	atVenue   = 80 // of whom every second turns up at the first neighbour within three weeks
	atControl = 40 // at each control, of whom four in five are seen there again
	watcher   = "regulator"
)

// sightings has one member submit what it saw at the venue, its neighbour and its
// controls before and after the intervention.
func (s *stage) sightings(ctx context.Context, i opening.InterventionAct) error {
	day, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	rows := [][]string{{"reference", "date", "role", "grade", "strength", "kind", "origin", "platform", "username", "venue"}}
	add := func(who, venue string, week int) {
		rows = append(rows, []string{fmt.Sprintf("SIM-WATCH-%06d", len(rows)), day.AddDate(0, 0, 7*week).Format(time.DateOnly), "unknown", "B2", "1", "access", "own", "watch", who, venue})
	}
	for n := range atVenue {
		who := fmt.Sprintf("moved%04d", n)
		add(who, i.Venue, -1-n%8)
		if n%2 == 0 {
			add(who, i.Neighbours[0], 1+n/2%3)
		}
	}
	for c, control := range i.Controls {
		for n := range atControl {
			who := fmt.Sprintf("stayed%d%04d", c, n)
			add(who, control, -1-n%8)
			if n%5 > 0 {
				add(who, control, 1+n%10)
			}
		}
	}
	if err := vocab.WriteCSV(&b, rows); err != nil {
		return err
	}
	file := s.path("watched.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return err
	}
	mapping, err := s.write("watched.json", map[string]any{"format": "csv", "columns": map[string]any{"username": map[string]string{"class": "username"}},
		"reference": "reference", "role": "role", "grade": "grade", "strength": "strength", "kind": "kind", "date": "date", "platform": "platform", "origin": "origin", "venue": "venue"})
	if err != nil {
		return err
	}
	_, err = s.desk(ctx, watcher, "submit", file, "--mapping", mapping, "--basis", basisID, "--yes", "--json")
	return err
}
