package opening

import (
	"testing"
	"time"

	"parallax/seal"
	"parallax/signed"
)

// asked is a pool in which a request of now is in order, and the request.
func asked(now time.Time) (Manifest, Request) {
	m, _ := people()
	m.Epoch, m.Version, m.Authority = "e", 2, Authority{ID: "police"}
	m.LegalBases = []LegalBasis{{ID: "other", Purpose: "statistics", Recipient: "police", To: 1 << 60},
		{ID: "basis", Purpose: "investigation", Recipient: "police", From: now.Add(-time.Hour).UnixMicro(), To: now.Add(time.Hour).UnixMicro()}}
	return m, Request{Pool: "pool", Epoch: "e", Manifest: 1, Labels: []seal.Label{{1}}, Purpose: "investigation", LegalBasis: "basis",
		Recipient: "police", Playbook: PlaybookStandard, Time: now.UnixMicro(), Expires: now.Add(time.Hour).UnixMicro()}
}

// What a request may say, each limit on both of its sides.
func TestRequestsToTheEdge(t *testing.T) {
	at := day0.UnixMicro()
	week, window := MaxRequestLife.Microseconds(), signed.Window.Microseconds()
	for name, c := range map[string]struct {
		change func(m *Manifest, r *Request)
		want   bool
	}{
		"in order":                         {func(*Manifest, *Request) {}, true},
		"another pool":                     {func(_ *Manifest, r *Request) { r.Pool = "other" }, false},
		"another epoch":                    {func(_ *Manifest, r *Request) { r.Epoch = "f" }, false},
		"no manifest":                      {func(_ *Manifest, r *Request) { r.Manifest = 0 }, false},
		"the manifest in force":            {func(_ *Manifest, r *Request) { r.Manifest = 2 }, true},
		"a manifest to come":               {func(_ *Manifest, r *Request) { r.Manifest = 3 }, false},
		"no observation":                   {func(_ *Manifest, r *Request) { r.Labels = nil }, false},
		"a thousand observations":          {func(_ *Manifest, r *Request) { r.Labels = make([]seal.Label, 1000) }, true},
		"one more":                         {func(_ *Manifest, r *Request) { r.Labels = make([]seal.Label, 1001) }, false},
		"for another recipient":            {func(_ *Manifest, r *Request) { r.Recipient = "bank" }, false},
		"expired now":                      {func(_ *Manifest, r *Request) { r.Expires = at }, false},
		"not yet expired":                  {func(_ *Manifest, r *Request) { r.Expires = at + 1 }, true},
		"valid for 7 days":                 {func(_ *Manifest, r *Request) { r.Expires = r.Time + week }, true},
		"valid for longer":                 {func(_ *Manifest, r *Request) { r.Expires = r.Time + week + 1 }, false},
		"ahead as clocks may be":           {func(_ *Manifest, r *Request) { r.Time, r.Expires = at+window, at+window+1 }, true},
		"from the future":                  {func(_ *Manifest, r *Request) { r.Time, r.Expires = at+window+1, at+window+2 }, false},
		"for a child":                      {func(_ *Manifest, r *Request) { r.Playbook = PlaybookChildPossible }, true},
		"no playbook":                      {func(_ *Manifest, r *Request) { r.Playbook = "" }, false},
		"an emergency that is not allowed": {func(_ *Manifest, r *Request) { r.Emergency = "child-at-risk" }, false},
		"another purpose":                  {func(_ *Manifest, r *Request) { r.Purpose = "statistics" }, false},
		"a basis for another recipient":    {func(m *Manifest, _ *Request) { m.LegalBases[1].Recipient = "bank" }, false},
		"a basis from now on":              {func(m *Manifest, _ *Request) { m.LegalBases[1].From = at }, true},
		"a basis to come":                  {func(m *Manifest, _ *Request) { m.LegalBases[1].From = at + 1 }, false},
		"a basis that ends now":            {func(m *Manifest, _ *Request) { m.LegalBases[1].To = at }, false},
		"a basis that ends after now":      {func(m *Manifest, _ *Request) { m.LegalBases[1].To = at + 1 }, true},
		"no such basis":                    {func(_ *Manifest, r *Request) { r.LegalBasis = "none" }, false},
	} {
		m, r := asked(day0)
		c.change(&m, &r)
		if err := r.check(m, day0); (err == nil) != c.want {
			t.Errorf("%s: %v, want taken %t", name, err, c.want)
		}
	}
}

// A request is of the authority, and opens with one approval from there and one
// from oversight, each of somebody listed, for these bytes, in time.
func TestWhoApprovesARequest(t *testing.T) {
	m, r := asked(day0)
	m.Approvers[0].Entity, m.Approvers[1].Entity = "Police", "Oversight"
	sign := func(domain, as, key string, body any) signed.Object {
		o, err := signed.Sign(domain, as, seed(key), body)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for name, by := range map[string][2]string{"oversight": {"overseer", "overseer"}, "a member": {"bank", "bank"}, "another's key": {"police", "bank"}} {
		if _, _, err := OpenRequest(m, sign(RequestDomain, by[0], by[1], r), day0); err == nil {
			t.Errorf("a request by %s was taken", name)
		}
	}
	req := sign(RequestDomain, "police", "police", r)
	late := r
	late.Expires = day0.UnixMicro()
	if _, _, err := OpenRequest(m, sign(RequestDomain, "police", "police", late), day0); err == nil {
		t.Error("a request that is not in form was taken")
	}
	approve := func(as, key, says string, request Hash, at time.Time) signed.Object {
		return sign(ApprovalDomain, as, key, Approval{Approver: says, Request: request, Time: at.UnixMicro()})
	}
	digest := Digest(req.Body)
	police := approve("police", "police", "police", digest, day0)
	for name, c := range map[string]struct {
		approvals []signed.Object
		want      bool
	}{
		"both":           {[]signed.Object{police, approve("overseer", "overseer", "overseer", digest, day0)}, true},
		"nobody":         {nil, false},
		"the authority":  {[]signed.Object{police}, false},
		"oversight":      {[]signed.Object{approve("overseer", "overseer", "overseer", digest, day0)}, false},
		"a member":       {[]signed.Object{police, approve("bank", "bank", "bank", digest, day0)}, false},
		"another's key":  {[]signed.Object{police, approve("overseer", "police", "overseer", digest, day0)}, false},
		"another's name": {[]signed.Object{police, approve("overseer", "overseer", "police", digest, day0)}, false},
		"other bytes":    {[]signed.Object{police, approve("overseer", "overseer", "overseer", Hash{1}, day0)}, false},
		"ahead":          {[]signed.Object{police, approve("overseer", "overseer", "overseer", digest, day0.Add(signed.Window))}, true},
		"the future":     {[]signed.Object{police, approve("overseer", "overseer", "overseer", digest, day0.Add(signed.Window+time.Microsecond))}, false},
		"7 days ago":     {[]signed.Object{police, approve("overseer", "overseer", "overseer", digest, day0.Add(-MaxRequestLife))}, true},
		"longer ago":     {[]signed.Object{police, approve("overseer", "overseer", "overseer", digest, day0.Add(-MaxRequestLife-time.Microsecond))}, false},
	} {
		got, d, err := Approved(m, req, c.approvals, day0)
		if (err == nil) != c.want || c.want && (got.Purpose != r.Purpose || d != digest) {
			t.Errorf("approved by %s: %v, want %t", name, err, c.want)
		}
	}
	if _, _, err := Approved(m, sign(RequestDomain, "overseer", "overseer", r), []signed.Object{police}, day0); err == nil {
		t.Error("a request of oversight was approved")
	}
}
