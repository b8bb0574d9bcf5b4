package hub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"parallax/client"
	"parallax/internal/authz"
	"parallax/internal/web"
)

// fresh is how old the quorum's signatures may be before somebody should look.
const fresh = 24 * time.Hour

// today answers: what needs me?
func (c *console) today(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "Today", Question: "What needs me?"}
	var data []any
	var err error
	who, ctx := authz.From(r.Context()), r.Context()
	if in, no := c.s.enter(ctx, authz.ReadRecords, own(r, who)); no == nil {
		data, err = c.pool.Today(in)
	} else if in, no := c.s.enter(ctx, authz.ReadLeads, ofLeads(r, who)); no == nil {
		data, err = c.leads.Today(in, who.Person)
	} else if in, no := c.s.enter(ctx, authz.AuditHub, shared(r, who)); no == nil {
		data, err = c.auditorToday(in)
	} else {
		view, err = c.start(ctx)
		data, _ = view.Data.([]any)
	}
	if err != nil {
		return err
	}
	view.Data = data
	return c.blocks(w, r, view)
}

// auditorToday shows what is not as it should be, what to compare, and what is
// in force.
func (c *console) auditorToday(ctx context.Context) ([]any, error) {
	h, err := c.head(ctx)
	if err != nil {
		return nil, err
	}
	amiss := web.List{Label: "Not as it should be", Empty: web.Empty{What: "Everything that the hub can check about itself holds.", When: "A check that fails appears here.", Good: "Check the log yourself all the same.", Action: &web.Link{Label: "How to check the log", Href: "/log#how-to-check-it-yourself"}}}
	for _, x := range c.health(ctx, h).Items {
		if x.State != web.CheckHolds {
			amiss.Items = append(amiss.Items, web.Cell{Text: x.Label, Badges: []web.Badge{x.Badge()}, Note: x.Note})
		}
	}
	counts := web.List{Label: "Release counts"}
	list, _ := c.watch.holders(ctx)
	for _, x := range list {
		counts.Items = append(counts.Items, web.Cell{Text: x.Holder.ID + ", " + x.Holder.Entity, Href: x.Holder.URL + client.PathReleases, Badges: []web.Badge{x.badge(0)}})
	}
	policy := web.List{Label: "Policy", Empty: web.Empty{What: "Policy versions appear here.", When: "The governance quorum signs the first one."}}
	if m, ok := c.s.state.current(); ok {
		policy.Items = append(policy.Items, web.Cell{Text: fmt.Sprintf("Version %d", m.Version), Href: "/keys#policy-in-force", Note: "Issued on " + web.Moment(time.UnixMicro(m.Issued))})
	}
	return []any{web.Section{Title: "Not as it should be", Body: []any{amiss}},
		web.Section{Title: "What the key holders count themselves", Body: []any{web.Text("Each key holder signs and chains the number of its releases for each quarter, a quarter late. Compare them with each other."), counts}},
		web.Section{Title: "Policy in force", Body: []any{policy}}}, nil
}

// start is the first page for the public.
func (c *console) start(ctx context.Context) (web.View, error) {
	p := c.s.o.Plan
	h, err := c.head(ctx)
	return web.View{Title: "This hub", Question: "What is this, and does it work as it should?", Data: []any{
		web.Text("Parallax lets organisations that respond to online child sexual exploitation see together what none can see alone. They send blinded identifiers here. What matches stays sealed until a rule, two approvals and several independent key holders agree; then an authority alone can open it."),
		web.Section{Title: "Does it work as it should?", Body: []any{c.health(ctx, h)}},
		web.Actions{{Label: "See the log", Href: "/log", Primary: true}, {Label: "See the keys and the policy", Href: "/keys"}, {Label: "Is something about me here?", Href: "/ask"}},
		web.Facts{{Label: "Pool", Value: web.T(p.Pool)}, {Label: "Epoch", Value: web.T(p.Epoch)}, {Label: "Operator", Value: web.T(p.Hub.Entity)}},
	}}, err
}

// health is what anyone can check here.
func (c *console) health(ctx context.Context, h head) web.Checks {
	now := c.s.o.Clock.Now()
	out := web.Checks{Label: "State of the hub"}
	add := func(label string, ok bool, note string) {
		state := web.CheckHolds
		if !ok {
			state = web.CheckFails
		}
		out.Items = append(out.Items, web.Check{Label: label, State: state, Note: note})
	}
	add("The log holds everything that its witnesses saw", !c.s.tlog.ReadOnly(), "")
	add("The gate decides without errors", c.s.gate.Alarms() == 0, "")
	witnessed := "There is none yet; the first comes with the first tick after the policy is in force."
	if h.Size > 0 {
		witnessed = fmt.Sprintf("%s entries, witnessed on %s", web.Number(h.Size), web.Moment(h.witnessed()))
	}
	add("A checkpoint was witnessed in the last 24 hours", h.Size > 0 && now.Sub(h.witnessed()) < fresh, witnessed)
	inUse := c.s.gateway.Law()
	current := inUse.SignedBy == nil || inUse.Statement.Effective(now.UTC().Format(time.DateOnly)) == nil
	add("The law data that counsel laid down is in use and in force", current && c.s.gateway.Refused() == nil, "Version "+inUse.Set.Meta.DataVersion)
	m, ok := c.s.state.current()
	policy := "None has been signed yet."
	if ok {
		policy = fmt.Sprintf("Version %d", m.Version)
	}
	add("A policy is in force", ok, policy)
	list, at := c.watch.holders(ctx)
	answering, need := 0, c.s.state.committee().T
	for _, x := range list {
		if x.OK && !x.Halted {
			answering++
		}
	}
	add("Enough key holders answer", answering >= need, fmt.Sprintf("%d of %d, asked on %s; %d are needed", answering, len(list), web.Moment(at), need))
	return out
}
