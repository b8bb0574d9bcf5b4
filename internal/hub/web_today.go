package hub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"parallax/internal/web"
)

// fresh is how old the quorum's signatures may be before somebody should look.
const fresh = 24 * time.Hour

// today answers: what needs me?
func (c *console) today(w http.ResponseWriter, r *http.Request) error {
	h, err := c.head(r.Context())
	if err != nil {
		return err
	}
	return c.blocks(w, r, c.start(r.Context(), h))
}

// start is the first page for the public.
func (c *console) start(ctx context.Context, h head) web.View {
	p := c.s.o.Plan
	return web.View{Title: "This hub", Question: "What is this, and does it work as it should?", Data: []any{
		web.Text("Parallax lets organisations that respond to online child sexual exploitation see together what none can see alone. They send blinded identifiers here. What matches stays sealed until a rule, two approvals and several independent key holders agree; then an authority alone can open it."),
		web.Section{Title: "Does it work as it should?", Body: []any{c.health(ctx, h)}},
		web.Actions{{Label: "See the log", Href: "/log", Primary: true}, {Label: "See the keys and the policy", Href: "/keys"}},
		web.Facts{{Label: "Pool", Value: web.T(p.Pool)}, {Label: "Epoch", Value: web.T(p.Epoch)}, {Label: "Operator", Value: web.T(p.Hub.Entity)}},
	}}
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
	witnessed := "There is none yet; the first comes with the first tick after the policy is in force."
	if h.Size > 0 {
		witnessed = fmt.Sprintf("%s entries, witnessed on %s", web.Number(h.Size), web.Moment(h.witnessed()))
	}
	add("A checkpoint was witnessed in the last 24 hours", h.Size > 0 && now.Sub(h.witnessed()) < fresh, witnessed)
	m, ok := c.s.state.current()
	policy := "None has been signed yet."
	if ok {
		policy = fmt.Sprintf("Version %d", m.Version)
	}
	add("A policy is in force", ok, policy)
	list, at := c.watch.holders(ctx)
	answering := 0
	for _, x := range list {
		if x.OK && !x.Halted {
			answering++
		}
	}
	add("Enough key holders answer", answering >= c.s.o.Plan.T, fmt.Sprintf("%d of %d, asked on %s; %d are needed", answering, len(list), web.Moment(at), c.s.o.Plan.T))
	return out
}
