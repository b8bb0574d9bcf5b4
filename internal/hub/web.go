package hub

import (
	"net/http"

	"parallax/internal/amends"
	"parallax/internal/authz"
	"parallax/internal/gateway"
	"parallax/internal/identity"
	"parallax/internal/leads"
	"parallax/internal/pool"
	"parallax/internal/web"
)

// A console is the hub's pages. It looks; it changes nothing.
type console struct {
	s       *Server
	kit     *web.Kit
	who     Viewers
	watch   *watch
	pool    *pool.Pages
	leads   *leads.Pages
	gateway *gateway.Pages
	amends  *amends.Pages
	people  *identity.Pages
	insight
}

func newConsole(s *Server) (*console, error) {
	who := signedIn{people: s.people}
	if s.o.DemoConsole {
		who.chosen = demoViewers{s}
	}
	c := &console{s: s, who: who, watch: &watch{s: s}}
	person := func(r *http.Request) string { return authz.From(r.Context()).Person }
	var err error
	if c.kit, err = web.New(web.Config{Log: s.o.Log, Shell: c.shell, HTTPS: s.people.HTTPS()}); err != nil {
		return nil, err
	}
	if c.pool, err = pool.NewPages(s.pool, c.kit); err != nil {
		return nil, err
	}
	c.statisticsPages()
	c.amends = amends.NewPages(s.amends, c.kit, s.state.current, person)
	c.people = identity.NewPages(s.people, c.kit, asking)
	c.gateway = gateway.NewPages(s.gateway, c.kit, lawyer)
	c.leads, err = leads.NewPages(s.leads, c.kit, s.state.current, person)
	return c, err
}

func (c *console) blocks(w http.ResponseWriter, r *http.Request, v web.View) error {
	return c.kit.Render(w, r, http.StatusOK, web.Blocks, v)
}

// shell surrounds every page.
func (c *console) shell(r *http.Request) web.Shell {
	s := web.Shell{Product: "Parallax", Section: "Hub, " + c.s.o.Plan.Pool, Nav: c.nav(r), Role: authz.From(r.Context()).Name,
		Footer: "A signal is not proof: everything here is unverified until an authority decides. The hub holds tags and sealed boxes, nothing that can be read."}
	if c.s.o.Home != "" {
		s.Account = append(s.Account, web.Link{Label: "Demonstration start page", Href: c.s.o.Home})
	}
	if c.s.o.DemoConsole {
		s.Account = append(s.Account, web.Link{Label: "Change who is looking", Href: "/demo"})
	}
	switch p := authz.From(r.Context()); {
	case p.Kind == authz.Person && !p.Demo:
		s.Account = append(s.Account, web.Link{Label: "Me", Href: "/me"}, web.Link{Label: "Sign out", Href: "/sign-out"})
	case p.Kind == authz.Public && !c.s.o.DemoConsole:
		s.Account = append(s.Account, web.Link{Label: "Sign in", Href: "/sign-in"})
	}
	if m, ok := c.s.state.current(); c.s.o.Home != "" || c.s.o.DemoConsole || ok && m.Demo {
		s.Banner = "Demonstration: simulated data"
	}
	return s
}

// navigation is what pages there are to go to, and what each needs. Only what
// the gate would let the reader open is shown.
var navigation = []struct {
	web.NavItem
	action authz.Action
	on     On
}{
	{web.NavItem{Group: "Work", Label: "Contribute", Href: "/contribute", Key: "c"}, authz.ReadRecords, own},
	{web.NavItem{Group: "Work", Label: "Openings", Href: "/openings", Key: "o"}, authz.ReadLeads, ofLeads},
	{web.NavItem{Group: "Work", Label: "Corrections", Href: "/corrections"}, authz.ReadLeads, ofLeads},
	{web.NavItem{Group: "Organisation", Label: "People", Href: "/people", Key: "p"}, authz.ReadPeople, ofPeople},
	{web.NavItem{Group: "Insight", Label: "Baseline", Href: "/baseline", Key: "b"}, authz.ReadStatistics, ofStatistics},
	{web.NavItem{Group: "Insight", Label: "Displacement", Href: "/displacement", Key: "d"}, authz.ReadStatistics, ofStatistics},
	{web.NavItem{Group: "Law", Label: "Routes", Href: "/routes", Key: "r"}, authz.AskGateway, shared},
	{web.NavItem{Group: "Law", Label: "Barriers", Href: "/barriers", Key: "w"}, authz.ReadBarriers, shared},
	{web.NavItem{Group: "Trust", Label: "Log", Href: "/log", Key: "l"}, authz.ReadLog, shared},
	{web.NavItem{Group: "Trust", Label: "Keys", Href: "/keys", Key: "k"}, authz.ReadPolicy, shared},
	{web.NavItem{Group: "Trust", Label: "Members and policy", Href: "/members", Key: "m"}, authz.ReadPolicy, shared},
}

func (c *console) nav(r *http.Request) []web.NavItem {
	p := authz.From(r.Context())
	out := []web.NavItem{{Group: "Work", Label: "Today", Href: "/", Key: "t"}}
	if p.Kind == authz.Public {
		out = []web.NavItem{{Label: "This hub", Href: "/", Key: "t"}}
	}
	for _, x := range navigation {
		if c.s.may(r.Context(), x.action, x.on(r, p)) {
			out = append(out, x.NavItem)
		}
	}
	return out
}
