package opening

import (
	"testing"
	"time"
)

// The first release time at or after a moment, whole seconds kept as they are.
func TestBundlesOpenAtReleaseTimes(t *testing.T) {
	d := Delays{ReleaseEvery: 60}
	for _, c := range []struct{ at, want time.Time }{
		{time.Unix(120, 0), time.Unix(120, 0)}, {time.Unix(120, 1), time.Unix(180, 0)}, {time.Unix(121, 0), time.Unix(180, 0)},
		{time.Unix(179, 1), time.Unix(180, 0)}, {time.Unix(180, 0), time.Unix(180, 0)},
	} {
		if got := NextRelease(d, c.at); !got.Equal(c.want) {
			t.Errorf("after %v: %v, want %v", c.at, got, c.want)
		}
	}
}

// A refused bundle names what is not met, and nothing of what is.
func TestBundlesAreToldWhatIsNotMet(t *testing.T) {
	got := unmet(Decision{Conditions: []Condition{{Name: "a", Have: 1, Need: 2}, {Name: "b", Have: 3, Need: 3, Met: true}, {Name: "c", Need: 1}}})
	if want := "a 1 of 2; c 0 of 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
