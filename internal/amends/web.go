package amends

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/web"
	"parallax/opening"
)

// rows is how many corrections a page shows at once.
const rows = 50

// Pages are what the authority and its oversight body see of corrections:
// which there were, and whom they have reached. Nothing of what the
// observations say is here.
type Pages struct {
	service  *Service
	kit      *web.Kit
	manifest func() (opening.Manifest, bool)
	approver func(r *http.Request) string
}

// NewPages returns the pages on a kit.
func NewPages(s *Service, kit *web.Kit, manifest func() (opening.Manifest, bool), approver func(r *http.Request) string) *Pages {
	return &Pages{s, kit, manifest, approver}
}

var kinds = map[string]string{opening.DenyWithdraw: "Withdrawn", opening.DenyFreeze: "Frozen", opening.DenyUphold: "Upheld",
	opening.DenyAmend: "Replaced", opening.DenyRevoke: "Revoked", opening.DenyThaw: "Freeze lifted by governance"}

// Corrections answers: does everybody know what was put right?
func (p *Pages) Corrections(w http.ResponseWriter, r *http.Request) error {
	m, ok := p.manifest()
	if !ok {
		return fault.New(fault.Unavailable, "No policy is in force yet, so there are no corrections.")
	}
	before, err := parsePlace(r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	now := p.service.clock.Now()
	of, _ := scope.From(r.Context()) // as the gate decided
	list, err := p.service.look(r.Context(), of, m, p.approver(r), before, now)
	if err != nil {
		return err
	}
	view := web.View{Title: "Corrections", Question: "Does everybody know what was put right?"}
	t := web.Table{ID: "corrections", Caption: "Corrections, the newest first", Columns: web.Cols("Taken", "What", "Observations", "Key holders", "Readers", "State"),
		Empty: web.Empty{What: "Freezes, amendments, revocations and withdrawals appear here.", When: "A member or an approver signs one at a desk.",
			Good: "Empty means that nobody has found a mistake, not that there is none."},
		Note: "Key holders: how many keep it. Readers: receipts from desks at which a released opening with the observation could be read. Each must answer within 1 hour."}
	if before != newest {
		t.Pages.First = "/corrections"
	}
	if len(list) > rows {
		list = list[:rows]
		last := list[rows-1]
		t.Pages.Next = fmt.Sprintf("/corrections?before=%d-%s", last.Taken.UnixMicro(), last.Digest)
	}
	late := 0
	for _, d := range list {
		row := web.Row{Cells: []web.Cell{web.At(d.Taken), {Text: kinds[d.Kind], Note: d.by()}, web.N(int64(len(d.Denial.Labels))),
			web.Tf("%d of %d", d.Kept, d.Holders), d.readers(), {Badges: []web.Badge{d.badge(now)}}}}
		if d.Late > 0 {
			late++
			row.Tone = web.Wait
		}
		t.Rows = append(t.Rows, row)
	}
	if late > 0 {
		view.Notice = &web.Notice{Tone: web.Wait, Title: fmt.Sprintf("Late: %d", late), Text: "Somebody has not answered within an hour. Key holders are asked again at every tick; the authority's desk answers when it is opened or runs \"parallax desk corrections\"."}
	}
	view.Data = []any{web.Text("A contributor sees none of this: whether anybody read an observation that it corrected would tell it that the observation matched."), t}
	return p.kit.Render(w, r, http.StatusOK, web.Blocks, view)
}

// parsePlace reads the place in the list that a link names; empty: its newest.
func parsePlace(text string) (place, error) {
	if text == "" {
		return newest, nil
	}
	at, digest, _ := strings.Cut(text, "-")
	n, err := strconv.ParseInt(at, 10, 64)
	p := place{at: n}
	if err != nil || n < 0 || p.digest.UnmarshalText([]byte(digest)) != nil {
		return newest, fault.New(fault.Invalid, `"before" must be the place that a link of this list names.`)
	}
	return p, nil
}

func (d Delivery) by() string {
	if d.Denial.Member != "" {
		return "by " + d.Denial.Member
	}
	return "by " + d.Denial.Author
}

func (d Delivery) readers() web.Cell {
	if d.Readers == 0 {
		return web.T("nobody read it")
	}
	return web.Tf("%d of %d", d.Read, d.Readers)
}

// badge says how far it came and, for a freeze, until when it is to be decided.
func (d Delivery) badge(now time.Time) web.Badge {
	switch {
	case d.Late > 0 && (d.Kept+d.Refused < d.Holders || d.Read < d.Readers):
		return web.Badge{Tone: web.Wait, Text: "Late since " + web.Moment(d.Due)}
	case d.Kept+d.Refused < d.Holders || d.Read < d.Readers:
		return web.Badge{Tone: web.Wait, Text: "On its way, due " + web.Moment(d.Due)}
	case d.Late > 0:
		return web.Badge{Tone: web.Info, Text: "Everybody knows; it took longer than 1 hour"}
	}
	return web.Badge{Tone: web.Good, Text: "Everybody knows"}
}
