package opening

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parallax/signed"
)

// glassy is a pool that may break the glass, twice within 100 seconds.
func glassy() Manifest {
	m, _ := people()
	m.Approvers = append(m.Approvers, Approver{ID: "overseer-2", Role: RoleOversight, Key: pubOf("overseer-2")})
	m.Delays = Delays{OpenSeconds: 60, ReleaseEvery: 60}
	m.Emergency = &Emergency{OpenSeconds: 30, ReleaseEvery: 30, ReviewSeconds: 100, Limit: 2}
	return m
}

// What an emergency of a manifest may be, and which change of it allows more.
func TestStopsBreakToTheEdge(t *testing.T) {
	most := int64(maxReview.Seconds())
	for name, c := range map[string]struct {
		change        func(e *Emergency)
		form, loosens bool
	}{
		"the same":            {func(*Emergency) {}, true, false},
		"at once":             {func(e *Emergency) { e.OpenSeconds = 0 }, true, true},
		"before it is asked":  {func(e *Emergency) { e.OpenSeconds = -1 }, false, true},
		"a shorter delay":     {func(e *Emergency) { e.OpenSeconds-- }, true, true},
		"a longer delay":      {func(e *Emergency) { e.OpenSeconds++ }, true, false},
		"no shorter":          {func(e *Emergency) { e.OpenSeconds = 60 }, true, false},
		"longer than ever":    {func(e *Emergency) { e.OpenSeconds = 61 }, false, false},
		"at no times":         {func(e *Emergency) { e.ReleaseEvery = 0 }, false, true},
		"every second":        {func(e *Emergency) { e.ReleaseEvery = 1 }, true, true},
		"less often":          {func(e *Emergency) { e.ReleaseEvery++ }, true, false},
		"no more often":       {func(e *Emergency) { e.ReleaseEvery = 60 }, true, false},
		"less often than all": {func(e *Emergency) { e.ReleaseEvery = 61 }, false, false},
		"no time to review":   {func(e *Emergency) { e.ReviewSeconds = 0 }, false, true},
		"a second to review":  {func(e *Emergency) { e.ReviewSeconds, e.Limit = 1, 1 }, true, true},
		"half in half":        {func(e *Emergency) { e.ReviewSeconds, e.Limit = 50, 1 }, true, false},
		"as many in half":     {func(e *Emergency) { e.ReviewSeconds = 50 }, true, true},
		"30 days to review":   {func(e *Emergency) { e.ReviewSeconds = most }, true, true},
		"longer to review":    {func(e *Emergency) { e.ReviewSeconds = most + 1 }, false, true},
		"never":               {func(e *Emergency) { e.Limit = 0 }, false, false},
		"once":                {func(e *Emergency) { e.Limit = 1 }, true, false},
		"the most":            {func(e *Emergency) { e.Limit = maxBroken }, true, true},
		"more than that":      {func(e *Emergency) { e.Limit = maxBroken + 1 }, false, true},
	} {
		m := glassy()
		c.change(m.Emergency)
		if err := m.Emergency.check(m); (err == nil) != c.form {
			t.Errorf("%s: %v, want in form %t", name, err, c.form)
		}
		if glassy().Emergency.loosens(m.Emergency) != c.loosens {
			t.Errorf("%s: want loosens %t", name, c.loosens)
		}
	}
	var none *Emergency
	m := glassy()
	if none.check(m) != nil || none.loosens(none) || !none.loosens(m.Emergency) || m.Emergency.loosens(none) {
		t.Error("without an emergency")
	}
	m.Approvers = m.Approvers[:2]
	if m.Emergency.check(m) == nil {
		t.Error("nobody is left to review")
	}
}

// What a request that breaks the glass says, and which delays hold for it.
func TestRequestsThatBreakTheGlass(t *testing.T) {
	life := EmergencyLife.Microseconds()
	for name, c := range map[string]struct {
		change func(m *Manifest, r *Request)
		want   bool
	}{
		"in order":          {func(*Manifest, *Request) {}, true},
		"not allowed":       {func(m *Manifest, _ *Request) { m.Emergency = nil }, false},
		"no ground":         {func(_ *Manifest, r *Request) { r.Emergency = "else" }, false},
		"for a day":         {func(_ *Manifest, r *Request) { r.Expires = r.Time + life }, true},
		"for longer":        {func(_ *Manifest, r *Request) { r.Expires = r.Time + life + 1 }, false},
		"without a reason":  {func(_ *Manifest, r *Request) { r.Reason = Hash{} }, false},
		"not an emergency":  {func(_ *Manifest, r *Request) { r.Emergency, r.Reason, r.Expires = "", Hash{}, r.Time+life+1 }, true},
		"in a quiet policy": {func(m *Manifest, r *Request) { m.Emergency, r.Emergency = nil, "" }, true},
	} {
		m := glassy()
		r := Request{Emergency: "child-at-risk", Time: 5, Expires: 6, Reason: Hash{1}}
		c.change(&m, &r)
		if err := r.checkEmergency(m); (err == nil) != c.want {
			t.Errorf("%s: %v, want taken %t", name, err, c.want)
		}
		want := m.Delays
		if r.Emergency != "" && m.Emergency != nil {
			want = Delays{OpenSeconds: 30, ReleaseEvery: 30}
		}
		if got := r.Delays(m); got != want {
			t.Errorf("%s: delays %+v, want %+v", name, got, want)
		}
	}
}

// Who reviews what was opened under a broken glass, and when the glass stays whole.
func TestRequestsWaitForReviews(t *testing.T) {
	m := glassy()
	past := Broken{Request: Hash{7}, Approvers: []string{"overseer"}, ReviewBy: day0}
	review := func(as, key string, change func(r *Review)) signed.Object {
		r := Review{Pool: "pool", Request: past.Request, Reviewer: as, Finding: ReviewUpheld, Reason: Hash{1}}
		if change != nil {
			change(&r)
		}
		o, err := signed.Sign(ReviewDomain, as, seed(key), r)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	good := review("overseer-2", "overseer-2", nil)
	request := signed.Object{Body: []byte("a request")}
	decide := func(limit int64, broken []Broken, reviews ...signed.Object) error {
		m := glassy()
		m.Emergency.Limit = limit
		return Bundle{Request: request, Reviews: reviews}.checkReviews(View{Manifest: m, Now: day0, Broken: broken}, Request{Emergency: "child-at-risk"})
	}
	for name, c := range map[string]struct {
		o    signed.Object
		want bool
	}{
		"another overseer's": {good, true},
		"not upheld":         {review("overseer-2", "overseer-2", func(r *Review) { r.Finding = ReviewNot }), true},
		"the authority's":    {review("police", "police", nil), false},
		"a member's":         {review("bank", "bank", nil), false},
		"an approver's own":  {review("overseer", "overseer", nil), false},
		"another's key":      {review("overseer-2", "overseer", nil), false},
		"of another pool":    {review("overseer-2", "overseer-2", func(r *Review) { r.Pool = "other" }), false},
		"of another opening": {review("overseer-2", "overseer-2", func(r *Review) { r.Request = Hash{8} }), false},
		"by another's name":  {review("overseer-2", "overseer-2", func(r *Review) { r.Reviewer = "overseer" }), false},
		"without a finding":  {review("overseer-2", "overseer-2", func(r *Review) { r.Finding = "" }), false},
		"without a reason":   {review("overseer-2", "overseer-2", func(r *Review) { r.Reason = Hash{} }), false},
	} {
		if r, err := OpenReview(m, c.o, past); (err == nil) != c.want || c.want && r.Reviewer != "overseer-2" {
			t.Errorf("%s: %v, want taken %t", name, err, c.want)
		}
		if err := decide(1, []Broken{past}, c.o); (err == nil) != c.want || errors.Is(err, ErrWait) {
			t.Errorf("with a review that is %s: %v, want released %t", name, err, c.want)
		}
	}
	now := past
	now.ReviewBy = day0.Add(time.Microsecond) // not due yet
	for name, c := range map[string]struct {
		limit  int64
		broken []Broken
		wait   bool
	}{
		"nothing before":        {1, nil, false},
		"one of two":            {2, []Broken{now}, false},
		"one of one":            {1, []Broken{now}, true},
		"two of two, one old":   {2, []Broken{now, past, now}, true},
		"one of two, one old":   {2, []Broken{now, past}, false},
		"the very request":      {1, []Broken{now, {Request: Digest(request.Body), ReviewBy: day0.Add(-time.Hour)}}, false},
		"one of one, long past": {1, []Broken{past}, false},
	} {
		if err := decide(c.limit, c.broken, good); errors.Is(err, ErrWait) != c.wait || (err != nil) != c.wait {
			t.Errorf("%s: %v, want to wait %t", name, err, c.wait)
		}
	}
	if err := (Bundle{Request: request}).checkReviews(View{Manifest: m, Now: day0, Broken: []Broken{past, now, now}}, Request{}); err != nil {
		t.Errorf("a request that breaks no glass: %v", err)
	}
}

// A quorum is of different governors, each with its own key, over the very
// bytes; no governor is the hub operator's.
func TestStopsAndManifestsAreTheQuorums(t *testing.T) {
	g := Governance{Threshold: 2}
	for _, id := range []string{"gov-1", "gov-2", "gov-3"} {
		g.Governors = append(g.Governors, Governor{ID: id, Entity: id, Key: pubOf(id)})
	}
	body := []byte(`{"x":1}`)
	sign := func(pairs ...string) (out []Signature) {
		for pair := range slices.Chunk(pairs, 2) {
			s := SignedManifest{Body: body}
			s.Add(pair[0], seed(pair[1]))
			out = append(out, s.Sigs...)
		}
		return out
	}
	for name, c := range map[string]struct {
		sigs []Signature
		want bool
	}{
		"two":            {sign("gov-1", "gov-1", "gov-3", "gov-3"), true},
		"all":            {sign("gov-1", "gov-1", "gov-2", "gov-2", "gov-3", "gov-3"), true},
		"none":           {nil, false},
		"one":            {sign("gov-1", "gov-1"), false},
		"one twice":      {sign("gov-1", "gov-1", "gov-1", "gov-1"), false},
		"another's name": {sign("gov-1", "gov-1", "gov-2", "gov-1"), false},
		"not its own":    {sign("gov-1", "gov-1", "gov-3", "gov-2"), false},
		"a stranger":     {sign("gov-1", "gov-1", "else", "else"), false},
		"two and a bad":  {sign("gov-1", "gov-1", "gov-2", "else", "gov-3", "gov-3"), true},
	} {
		if err := g.Verify(ManifestDomain, body, c.sigs); (err == nil) != c.want {
			t.Errorf("%s: %v, want %t", name, err, c.want)
		}
	}
	if g.Verify(ManifestDomain, []byte(`{"x":2}`), sign("gov-1", "gov-1", "gov-2", "gov-2")) == nil {
		t.Error("signatures of other bytes count")
	}
	g.Threshold = 1
	if err := g.Verify(ManifestDomain, body, sign("gov-1", "gov-1")); err != nil {
		t.Error(err)
	}
	g.Threshold = 0
	if g.Verify(ManifestDomain, body, nil) == nil || g.Verify(ManifestDomain, body, sign("gov-1", "gov-1")) == nil {
		t.Error("a threshold of none")
	}
}
