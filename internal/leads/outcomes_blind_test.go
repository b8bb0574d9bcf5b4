package leads

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/signed"
)

// Two hubs in which the same is released to one member: in one nothing else is
// there, in the other others are told things all the time, and the member itself
// has notes that are not due or whose release the log does not hold. Whatever it
// asks, and whenever, the answers are the same bytes.
func TestTheDigestTellsNothingOfOthers(t *testing.T) {
	alone, crowded := newCourt(t, storetest.SQLite(t), nil), newCourt(t, storetest.SQLite(t), nil)
	r := rand.New(rand.NewPCG(1, 2))
	put := func(c *court, n noteRow) {
		t.Helper()
		must(t, c.s.db.Write(c.ctx, func(ctx context.Context, tx *store.Tx) error { return insertNote(ctx, tx, n) }))
	}
	turn := 0
	both := func(do func(c *court)) { do(alone); do(crowded) }
	both(func(c *court) { c.log.logged = true; must(t, c.s.place(c.ctx, c.man)) })
	sizes := map[int]int{}
	turns := 30
	if os.Getenv("PARALLAX_SOAK") != "" {
		turns = 2000
	}
	for range turns {
		turn++
		step := time.Duration(r.IntN(300)) * time.Second
		both(func(c *court) { c.clock.Advance(step) })
		if r.IntN(4) == 0 {
			for i := range r.IntN(4) {
				put(crowded, noteRow{ID: fmt.Sprintf("other-%d-%d", turn, i), Opening: "o1", Org: "org-1", Signed: crowded.note(1, "G-1", start, nil)})
			}
		}
		if r.IntN(6) == 0 { // not for years, so never told here
			put(crowded, noteRow{ID: fmt.Sprintf("later-%d", turn), Opening: "o1", Org: "org-0", Signed: crowded.note(0, "G-0", start, nil), Earliest: start.AddDate(3, 0, 0).UnixMicro()})
		}
		if r.IntN(4) == 0 { // told in both
			n := noteRow{ID: fmt.Sprintf("own-%d", turn), Opening: "o1", Org: "org-0", Signed: alone.note(0, "G-0", start, nil)}
			both(func(c *court) { put(c, n) })
		}
		both(func(c *court) { must(t, c.s.place(c.ctx, c.man)) })
		after := int64(0)
		if r.IntN(2) == 0 {
			after = start.Unix() + int64(r.IntN(9000))
		}
		var answers [2][]byte
		for i, c := range []*court{alone, crowded} {
			out, err := c.s.Outcomes(c.ctx, c.man, scope.Of("org-0"), client.OutcomesRequest{After: after})
			must(t, err)
			answers[i], err = signed.Marshal(out)
			must(t, err)
		}
		if !bytes.Equal(answers[0], answers[1]) {
			t.Fatalf("turn %d, after %d: the answers differ", turn, after)
		}
		sizes[len(answers[0])]++
	}
	if len(sizes) != 1 {
		t.Errorf("answers of several sizes: %v", sizes)
	}
	if out, notes := alone.digest("org-0", 0); len(notes) == 0 || strings.Count(fmt.Sprint(out.Through), "") != 11 {
		t.Errorf("%d notes were told, through %d: the test compared nothing", len(notes), out.Through)
	}
	if _, notes := crowded.digest("org-1", 0); len(notes) == 0 {
		t.Error("the others were told nothing: the test compared nothing")
	}
}
