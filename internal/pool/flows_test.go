package pool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parallax/client"
	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

var takedown = opening.InterventionAct{Class: selector.Email, Venue: "v1", Date: "2026-08-03", Neighbours: []string{"v2"}, Controls: []string{"v3", "v4"},
	Weeks: 4, Retrospective: true, See: []string{"oversight-board"}}

// TestFlowsAreBruteForce follows every selector anew and compares all that
// leaves: the matrix, the weekly series and the weeks out of sight.
func TestFlowsAreBruteForce(t *testing.T) {
	venues := []string{"v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v2", "v3", "v4", "elsewhere", ""}
	rapid.Check(t, func(r *rapid.T) {
		w, err := windowOf("2026-11", takedown, 3, start)
		if err != nil {
			r.Fatal(err)
		}
		type sight struct {
			tag, week int
			venue     string
		}
		all := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) sight {
			return sight{rapid.IntRange(0, 60).Draw(r, "tag"), rapid.IntRange(0, len(w.weeks)-1).Draw(r, "week"), rapid.SampledFrom(venues).Draw(r, "venue")}
		}), 60, 200).Draw(r, "sightings")
		for _, x := range all {
			h := opening.Header{Epoch: "2026-11", Organisation: "org-1", Origin: "own", Role: "unknown", Source: "b", Info: "2", Week: w.weeks[x.week],
				Tags: []opening.HeaderTag{{Class: selector.Email, Key: possession(selector.Email, fmt.Sprint(x.tag)).Public(), Expires: start.AddDate(1, 0, 0).UnixMicro()}}}
			o := seen{header: h, live: true}
			if x.venue != "" {
				o.venues = []string{x.venue}
			}
			w.add(o)
			h.Origin = "referred:org-2" // the same sighting once more
			o.header = h
			w.add(o)
		}
		matrix := map[string]map[string]int{}
		unseen, target := 0, 0
		for tag := range 61 {
			from, to, again := "new", "gone", false
			for week := range w.weeks { // the latest week wins
				here := map[string]bool{}
				for _, x := range all {
					if x.tag == tag && x.week == week {
						again = again || week >= w.before
						if x.venue == "elsewhere" {
							here["other"] = true
						} else if x.venue != "" {
							here[x.venue] = true
						}
					}
				}
				if len(here) == 0 {
					continue
				}
				pick := slices.Min(slices.Collect(maps.Keys(here)))
				switch {
				case week < w.before && here["v1"]:
					from = "v1"
				case week < w.before:
					from = pick
				case here[from]:
					to = from
				default:
					to = pick
				}
			}
			if from == "new" && to == "gone" {
				continue
			}
			if matrix[from] == nil {
				matrix[from] = map[string]int{}
			}
			matrix[from][to]++
			if from == "v1" {
				target++
				if !again {
					unseen++
				}
			}
		}
		got, err := w.result()
		if target < MinFlow {
			if fault.KindOf(err) != fault.Conflict || got.Matrix != nil {
				r.Fatalf("%d selectors were counted: %v", target, err)
			}
			return
		}
		if err != nil || fmt.Sprint(got.Matrix) != fmt.Sprint(matrix) || got.Target.Unseen != unseen || total(matrix["v1"]) != sum(got.Target.Seen)+unseen {
			r.Fatalf("got %v, %v\nwant %v, unseen %d (%v)", got.Matrix, got.Target, matrix, unseen, err)
		}
	})
}

func sum(list []int) (n int) {
	for _, x := range list {
		n += x
	}
	return n
}

// TestFlowsThroughThePool: venues travel in the statistics part that only the
// hub gets, and nothing is counted before the act is approved and logged.
func TestFlowsThroughThePool(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		for i := range MinFlow {
			w.putAt("v1", "2026-W30", i)
			if i%3 == 0 {
				w.putAt("v2", "2026-W33", i)
			}
		}
		w.log.covered = true
		if _, _, err := w.pool.Flows(ctx, w.permit(opening.ActIntervention, takedown, "officer"), 2); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("one person's approval was enough: %v", err)
		}
		p := w.permit(opening.ActIntervention, takedown, "officer", "overseer")
		f, _, err := w.pool.Flows(ctx, p, 2)
		must(t, err)
		if row := f.Matrix["v1"]; row["v2"] != MinFlow/3 || row["gone"] != MinFlow-MinFlow/3 || f.Target.Seen[1] != MinFlow/3 || f.Series["v2"][5] != MinFlow/3 {
			t.Errorf("flows %v, dark %v, series %v over %v", f.Matrix, f.Target, f.Series, f.Weeks)
		}
		w.clock.Advance(-200 * 24 * time.Hour)
		if _, _, err := w.pool.Flows(ctx, p, 2); fault.KindOf(err) != fault.Conflict {
			t.Errorf("counted before the intervention acts: %v", err)
		}
		var none acts.Permit
		if _, _, err := w.pool.Flows(ctx, none, 2); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("counted without an act: %v", err)
		}
	})
}

// putAt contributes a sighting of a selector at a venue.
func (w *world) putAt(venue, week string, n int) {
	w.t.Helper()
	raw, err := signed.Marshal(opening.Statistics{Venues: []string{venue}, Edges: []opening.Edge{}})
	must(w.t, err)
	c := w.observe("org-1", func(h *opening.Header) { h.Week, h.Statistics = week, opening.Digest(raw) }, tag{selector.Email, fmt.Sprint("at", n)})
	c.Statistics = raw
	_, err = w.send("org-1", []client.Contributed{c}...)
	must(w.t, err)
}
