package keyholder

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

var page = template.Must(template.New("page").Parse(pageText))

// pageView is all that the page shows: no member, no tag, no observation.
type pageView struct {
	client.HolderStatus
	Entity, Now, Transcript string
	Since, Witnessed        string
	Quorum, Holders         int
	Demo                    bool
	Sharing                 string // where a resharing stands, as the last look at the board left it
	Signers                 string // of the checkpoint shown last
	Pending                 []pendingRow
	Releases                []releaseRow
	Refused                 []refusedRow
	Denials                 []denialRow
	Budgets                 []budgetRow
}

type pendingRow struct {
	Seen, Request, Purpose, Basis, Ends, Expires string
	Count                                        int
	Child                                        bool
	Emergency                                    string // what its ground says
}

type releaseRow struct {
	When, Request string
	Count         int
}

type refusedRow struct {
	When, Request, Why string
	Times              int
}

type denialRow struct{ When, What, Why string }

type budgetRow struct {
	Class, MostShare string
	Each, Used       int
}

// page answers the operator's one question: what am I asked to open, on what
// grounds? It is for this machine only: when each opening happens is not for
// the members and the public, who get counts a quarter late.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if !local(r) {
		problem(w, fault.New(fault.Forbidden, "This page is for the operator, on the key holder's own machine. Status and release counts are at /v1/status and /v1/releases."))
		return
	}
	var b bytes.Buffer
	if err := page.Execute(&b, s.view()); err != nil {
		problem(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w) // the reader may be gone
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText)) // the reader may be gone
}

// local reports a request that comes from this machine, under a name of this
// machine, and not through a proxy that says so.
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopback(from) {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host == "localhost" || loopback(strings.Trim(host, "[]"))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Server) view() pageView {
	st := s.Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	now, hash := s.clock.Now(), s.keys.setup.Transcript.Hash()
	v := pageView{HolderStatus: st, Entity: s.who.Entity, Now: stamp(now), Quorum: s.keys.committee.T, Holders: s.keys.committee.N,
		Transcript: opening.Hash(hash).String(), Demo: s.state.manifest.Demo, Sharing: s.saw, Budgets: s.budgets(now)}
	if st.Manifest > 0 {
		v.Since = stamp(s.state.since)
	}
	if n := s.seen; n.size > 0 {
		v.Signers = fmt.Sprintf("%d entries, signed by %d of %d key holders and %d of %d desks", n.size, n.holders, s.keys.committee.N, n.desks, len(s.state.manifest.DeskWitnesses))
	}
	if w := s.state.last(); w.Size > 0 {
		v.Witnessed = stamp(time.UnixMicro(w.Time))
	}
	v.Pending = s.state.pendingRows(now)
	for _, r := range s.state.releases {
		v.Releases = append(v.Releases, releaseRow{stamp(time.UnixMicro(r.Time)), brief(r.Request), len(r.Partials)})
	}
	for _, r := range s.refused {
		v.Refused = append(v.Refused, refusedRow{stamp(r.At), brief(r.Request), r.Reason, r.Times})
	}
	for _, d := range s.state.denialLog {
		v.Denials = append(v.Denials, denialRow{stamp(time.UnixMicro(d.Time)), denialWords[d.Kind], d.Reason})
	}
	slices.Reverse(v.Releases)
	slices.Reverse(v.Refused)
	slices.Reverse(v.Denials)
	v.Releases, v.Denials = v.Releases[:min(len(v.Releases), keptRefusals)], v.Denials[:min(len(v.Denials), keptRefusals)]
	return v
}

var denialWords = map[string]string{opening.DenyWithdraw: "Withdrawal", opening.DenySuspend: "Suspension of a member",
	opening.DenyHalt: "Halt of all openings", opening.DenyResume: "One governor's part of lifting a halt or suspension",
	opening.DenyFreeze: "Freeze of single observations", opening.DenyUphold: "Freeze lifted: the observations stand",
	opening.DenyAmend: "Correction: observations replaced", opening.DenyRevoke: "Correction: observations revoked",
	opening.DenyThaw: "Freeze lifted by governance"}

// pendingRows lists what may still be released, what comes first on top.
func (s *state) pendingRows(now time.Time) (out []pendingRow) {
	var list []pending
	for _, p := range s.pending {
		if p.Expires == 0 || now.UnixMicro() < p.Expires {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b pending) int {
		if a.Time != b.Time {
			return int(a.Time - b.Time)
		}
		return strings.Compare(a.Request.String(), b.Request.String())
	})
	for _, p := range list {
		row := pendingRow{Seen: stamp(time.UnixMicro(p.Time)), Request: brief(p.Request), Purpose: p.Purpose, Basis: p.Basis, Count: p.Count,
			Ends: "Not known before the request is in the witnessed log", Child: p.Playbook == opening.PlaybookChildPossible, Emergency: opening.EmergencyGrounds[p.Emergency]}
		if p.NotBefore > 0 {
			row.Ends = stamp(time.UnixMicro(p.NotBefore))
		}
		if p.Expires > 0 {
			row.Expires = stamp(time.UnixMicro(p.Expires))
		}
		out = append(out, row)
	}
	return out
}

// budgets says by class what was used today (UTC) by all members together, and
// how near the nearest member is to its limit; which one it is stays out.
func (s *Server) budgets(now time.Time) (out []budgetRow) {
	day := now.UTC().Format(time.DateOnly)
	for _, c := range s.state.manifest.Classes {
		row := budgetRow{Class: c.Class.Label(), Each: c.DailyBudget}
		most := 0
		for key, n := range s.state.used {
			if key.day == day && key.class == string(c.Class) {
				row.Used += n
				most = max(most, n)
			}
		}
		row.MostShare = fmt.Sprintf("%d %%", most*100/c.DailyBudget)
		out = append(out, row)
	}
	return out
}

func brief(h opening.Hash) string { return h.String()[:12] }

func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }
