package transparency

import (
	"testing"
	"time"

	"parallax/internal/clock"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

// A young log shows its ticks, an older one the last size of each day.
func TestGrowth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := open(t, db)
		now := l.o.Clock.(*clock.ManualClock)
		if list, _, err := l.Growth(t.Context()); err != nil || len(list) != 0 {
			t.Fatalf("an empty log: %+v, %v", list, err)
		}
		tick(t, l)
		now.Advance(time.Minute)
		tick(t, l)
		list, daily, err := l.Growth(t.Context())
		if err != nil || daily || len(list) != 2 || list[0].Size != 4 || list[1].Size != 8 || !list[1].Made.Equal(now.Now()) {
			t.Fatalf("two ticks: %+v, daily %t, %v", list, daily, err)
		}
		for range fewDays {
			now.Advance(24 * time.Hour)
			tick(t, l)
			tick(t, l)
		}
		list, daily, err = l.Growth(t.Context())
		if err != nil || !daily || len(list) != fewDays+1 {
			t.Fatalf("four days: %+v, daily %t, %v", list, daily, err)
		}
		for i, h := range list {
			if h.Size != int64(8*(i+1)) {
				t.Errorf("day %d ends at %d", i+1, h.Size)
			}
		}
	})
}
