package opening

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"parallax/signed"
)

// ReviewDomain separates reviews of break-glass openings from all other signed
// objects.
const ReviewDomain = "parallax/opening-review/v1"

// EmergencyLife bounds the validity of a break-glass request.
const EmergencyLife = 24 * time.Hour

// maxReview bounds how long a review may take.
const maxReview = 30 * 24 * time.Hour

// EmergencyGrounds are the only grounds on which the glass may be broken, each
// an imminent harm, with what it says.
var EmergencyGrounds = map[string]string{
	"life-at-risk":      "A person's life is at risk within days",
	"child-at-risk":     "A child is at risk of harm now",
	"self-harm-at-risk": "A person is at risk of harming themselves now",
}

// An Emergency says that requests may break the glass, and what that shortens:
// the time between a request in the witnessed log and its release. All else
// stays: the age of what opens, the rule, both approvals, t holders, the log.
type Emergency struct {
	OpenSeconds  int64 `json:"open_seconds"`  // instead of the manifest's delay, and shorter
	ReleaseEvery int64 `json:"release_every"` // instead of the manifest's release times
	// ReviewSeconds after a release an approver of an oversight body who did
	// not approve it must have reviewed it; until then the glass stays whole.
	ReviewSeconds int64 `json:"review_seconds"`
	// Limit is how many releases of one holder may break the glass within
	// ReviewSeconds, reviewed or not.
	Limit int64 `json:"limit"`
}

// maxBroken bounds an emergency's Limit: more are no exceptions.
const maxBroken = 20

// check refuses an emergency that is none, or that nobody could review.
func (e *Emergency) check(m Manifest) error {
	if e == nil {
		return nil
	}
	if e.OpenSeconds < 0 || e.OpenSeconds > m.Delays.OpenSeconds || e.ReleaseEvery < 1 || e.ReleaseEvery > m.Delays.ReleaseEvery {
		return errors.New("manifest: emergency delays must not be longer than the others, and release_every is at least 1")
	}
	if e.ReviewSeconds < 1 || e.ReviewSeconds > int64(maxReview.Seconds()) {
		return errors.New("manifest: emergency review_seconds is between 1 and 30 days")
	}
	if e.Limit < 1 || e.Limit > maxBroken {
		return fmt.Errorf("manifest: emergency limit, how often the glass may be broken within review_seconds, is between 1 and %d", maxBroken)
	}
	n := 0
	for _, a := range m.Approvers {
		if a.Role == RoleOversight {
			n++
		}
	}
	if n < 2 {
		return errors.New("manifest: who approved a break-glass opening does not review it, so an emergency needs two oversight approvers")
	}
	return nil
}

// loosens reports that next allows more than e.
func (e *Emergency) loosens(next *Emergency) bool {
	switch {
	case next == nil:
		return false
	case e == nil:
		return true
	}
	return next.OpenSeconds < e.OpenSeconds || next.ReleaseEvery < e.ReleaseEvery || next.ReviewSeconds > e.ReviewSeconds || next.Limit > e.Limit ||
		next.Limit*e.ReviewSeconds > e.Limit*next.ReviewSeconds // more in the same time
}

// checkEmergency checks what a break-glass request says.
func (r Request) checkEmergency(m Manifest) error {
	if r.Emergency == "" {
		return nil
	}
	switch {
	case m.Emergency == nil:
		return errors.New("the manifest does not allow breaking the glass")
	case EmergencyGrounds[r.Emergency] == "":
		return fmt.Errorf("%q is no ground for breaking the glass", r.Emergency)
	case r.Expires-r.Time > EmergencyLife.Microseconds():
		return errors.New("a break-glass request is valid for 24 hours at most")
	case r.Reason == Hash{}:
		return errors.New("a break-glass request needs the digest of its written reason")
	}
	return nil
}

// Delays are those that hold for this request.
func (r Request) Delays(m Manifest) Delays {
	if r.Emergency != "" && m.Emergency != nil {
		return Delays{OpenSeconds: m.Emergency.OpenSeconds, ReleaseEvery: m.Emergency.ReleaseEvery}
	}
	return m.Delays
}

// Findings of a review.
const (
	ReviewUpheld = "upheld"     // the harm was imminent, as far as could be known
	ReviewNot    = "not-upheld" // it was not; governance decides what follows
)

// A Review is what an oversight body says afterwards of a break-glass opening.
// Its reasons stay at the reviewer's desk; Reason is their digest.
type Review struct {
	Pool     string `json:"pool"`
	Request  Hash   `json:"request"`
	Reviewer string `json:"reviewer"`
	Finding  string `json:"finding"`
	Reason   Hash   `json:"reason"`
	Time     int64  `json:"time"`
}

// A Broken is a break-glass opening that the verifier has released itself.
type Broken struct {
	Request   Hash
	Approvers []string
	ReviewBy  time.Time
}

// OpenReview verifies a review of one break-glass opening: an oversight
// approver signed it who did not approve the opening.
func OpenReview(m Manifest, o signed.Object, b Broken) (Review, error) {
	var r Review
	who, ok := m.Approver(o.Key)
	if !ok || who.Role != RoleOversight {
		return r, fmt.Errorf("the review is signed by %q, who is no oversight approver", o.Key)
	}
	if err := o.Open(ReviewDomain, who.Key, &r); err != nil {
		return r, fmt.Errorf("review: %w", err)
	}
	switch {
	case r.Pool != m.Pool || r.Request != b.Request:
		return r, errors.New("the review is of another opening")
	case r.Reviewer != o.Key:
		return r, errors.New("the review names another reviewer than the one who signed it")
	case slices.Contains(b.Approvers, o.Key):
		return r, errors.New("who approved an opening does not review it")
	case r.Finding != ReviewUpheld && r.Finding != ReviewNot:
		return r, fmt.Errorf("the review finds %q, which is no finding", r.Finding)
	case r.Reason == Hash{}:
		return r, errors.New("the review needs the digest of its written reason")
	}
	return r, nil
}

// checkReviews refuses to break the glass while a review of an earlier time is
// overdue, and more often within one review period than the manifest allows.
// What was released is the verifier's own record; the reviews help and may come
// from the hub.
func (b Bundle) checkReviews(v View, req Request) error {
	if req.Emergency == "" {
		return nil
	}
	this, recent := Digest(b.Request.Body), int64(0)
	if slices.ContainsFunc(v.Broken, func(past Broken) bool { return past.Request == this }) {
		return nil // it is out already, and is answered as it was
	}
	for _, past := range v.Broken {
		if v.Now.Before(past.ReviewBy) {
			recent++
			continue
		}
		if !slices.ContainsFunc(b.Reviews, func(o signed.Object) bool { _, err := OpenReview(v.Manifest, o, past); return err == nil }) {
			return fmt.Errorf("the review of the break-glass opening %s is overdue: until it is there, none is released", past.Request.String()[:12])
		}
	}
	if recent >= v.Manifest.Emergency.Limit {
		return fmt.Errorf("the glass was broken %d times within one review period, which is the most: %w", recent, ErrWait)
	}
	return nil
}
