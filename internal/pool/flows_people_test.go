package pool

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parallax/opening"
	"parallax/selector"
)

// TestPeopleWithSeveralKinds draws people with their identifiers, reports parts
// of them at the venue and elsewhere, before and after, and counts the people
// again by looking at each.
func TestPeopleWithSeveralKinds(t *testing.T) {
	kinds := []selector.Class{selector.Email, selector.Phone, selector.Username, selector.IP}
	rapid.Check(t, func(r *rapid.T) {
		w, err := windowOf("2026-11", takedown, 3, start)
		if err != nil {
			r.Fatal(err)
		}
		var want Several
		for p := range rapid.IntRange(0, 12).Draw(r, "people") {
			report := func(week int, venue string, which ...selector.Class) {
				h := opening.Header{Epoch: "2026-11", Origin: "own", Role: "unknown", Source: "b", Info: "2", Week: w.weeks[week]}
				for _, k := range which {
					h.Tags = append(h.Tags, opening.HeaderTag{Class: k, Key: possession(k, fmt.Sprint(p)).Public(), Expires: start.AddDate(1, 0, 0).UnixMicro()})
				}
				w.add(seen{header: h, live: true, venues: []string{venue}})
			}
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(kinds), 0, 3, rapid.ID[selector.Class])
			before := some.Draw(r, "before")
			venue := rapid.SampledFrom([]string{"v1", "v2"}).Draw(r, "venue")
			for i := range before { // one at a time and overlapping, as reports come
				report(i%w.before, venue, before[max(i-1, 0):i+1]...)
			}
			after := some.Draw(r, "after")
			report(w.before, "v3", after...)
			if venue != "v1" || !slices.Contains(before, selector.Email) || !slices.Contains(before, selector.Phone) && !slices.Contains(before, selector.Username) {
				continue
			}
			if before[0] == selector.IP || len(before) == 3 && before[1] == selector.IP {
				r.Skip("what an address of the network joins is nobody's")
			}
			want.People++
			followed := slices.Contains(after, selector.Email)
			if followed {
				want.Followed++
			}
			if followed || slices.Contains(before, selector.Phone) && slices.Contains(after, selector.Phone) || slices.Contains(before, selector.Username) && slices.Contains(after, selector.Username) {
				want.Kept++
			}
		}
		if got := w.people.count(); got != want {
			r.Fatalf("%+v, want %+v", got, want)
		}
	})
}
