package hub

import (
	"net/http"
	"slices"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/leads"
	"parallax/internal/pool"
	"parallax/internal/web"
)

// A console is the hub's pages. It looks; it changes nothing.
type console struct {
	s     *Server
	kit   *web.Kit
	who   Viewers
	watch *watch
	pool  *pool.Pages
	leads *leads.Pages
}

// A page is one route of the console and who may look at it: a role that is
// not listed here is refused before anything is read.
type page struct {
	path  string
	roles []Role
	show  api.Handler
}

var (
	all       = []Role{Public, Contributor, Authority, Oversight, Auditor}
	members   = []Role{Contributor}
	approvers = []Role{Authority, Oversight}
)

func newConsole(s *Server) (*console, error) {
	c := &console{s: s, who: everyone{}, watch: &watch{s: s}}
	if s.o.DemoConsole {
		c.who = demoViewers{s}
	}
	id := func(r *http.Request) string { return c.who.Who(r).ID }
	var err error
	if c.kit, err = web.New(web.Config{Log: s.o.Log, Shell: c.shell}); err != nil {
		return nil, err
	}
	if c.pool, err = pool.NewPages(s.pool, c.kit, id); err != nil {
		return nil, err
	}
	c.leads, err = leads.NewPages(s.leads, c.kit, s.state.current, id)
	return c, err
}

// pages lists every page there is.
func (c *console) pages() []page {
	list := []page{
		{"/{$}", all, c.today},
		{"/log", all, c.log},
		{"/log/growth.csv", all, c.growthCSV},
		{"/log/checkpoint", all, c.downloadCheckpoint},
		{"/keys", all, c.keys},
		{"/contribute", members, c.pool.Contribute},
		{"/contribute/state", members, c.pool.State},
		{"/openings", approvers, c.leads.Openings},
		{"/openings/state", approvers, c.leads.State},
		{"/leads/{id}", approvers, c.leads.Lead},
	}
	if c.s.o.DemoConsole {
		list = append(list, page{"/demo", all, c.picker}, page{"/demo/as/{role}", all, c.become})
	}
	return list
}

// routes puts the pages on mux, and refuses everything else.
func (c *console) routes(mux *http.ServeMux) {
	mux.Handle("GET /assets/", c.kit.Assets())
	for _, p := range c.pages() {
		mux.Handle("GET "+p.path, c.kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
			if !slices.Contains(p.roles, c.who.Who(r).Role) {
				return c.refused()
			}
			return p.show(w, r)
		}))
	}
	mux.Handle("/", c.kit.Handle(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "There is nothing at this address.")
	}))
}

// refused is the one answer to who may not look, the same whether what was
// asked for exists or not.
func (c *console) refused() error {
	if c.s.o.DemoConsole {
		return fault.New(fault.Forbidden, "This page is for another role. At /demo you can choose who is looking.")
	}
	return fault.New(fault.Forbidden, "This page is not open to the public.")
}

func (c *console) blocks(w http.ResponseWriter, r *http.Request, v web.View) error {
	return c.kit.Render(w, r, http.StatusOK, web.Blocks, v)
}

// shell surrounds every page.
func (c *console) shell(r *http.Request) web.Shell {
	v := c.who.Who(r)
	s := web.Shell{Product: "Parallax", Section: "Hub, " + c.s.o.Plan.Pool, Nav: nav(v.Role), Role: v.Name,
		Footer: "A signal is not proof: everything here is unverified until an authority decides. The hub holds tags and sealed boxes, nothing that can be read."}
	if c.s.o.Home != "" {
		s.Account = append(s.Account, web.Link{Label: "Demonstration start page", Href: c.s.o.Home})
	}
	if c.s.o.DemoConsole {
		s.Account = append(s.Account, web.Link{Label: "Change who is looking", Href: "/demo"})
	}
	if m, ok := c.s.state.current(); c.s.o.Home != "" || c.s.o.DemoConsole || ok && m.Demo {
		s.Banner = "Demonstration: simulated data"
	}
	return s
}

// nav shows what the role may open, and nothing else.
func nav(role Role) []web.NavItem {
	var out []web.NavItem
	switch role {
	case Public:
		out = append(out, web.NavItem{Label: "This hub", Href: "/", Key: "t"})
	default:
		out = append(out, web.NavItem{Group: "Work", Label: "Today", Href: "/", Key: "t"})
	}
	switch role {
	case Contributor:
		out = append(out, web.NavItem{Group: "Work", Label: "Contribute", Href: "/contribute", Key: "c"})
	case Authority, Oversight:
		out = append(out, web.NavItem{Group: "Work", Label: "Openings", Href: "/openings", Key: "o"})
	}
	return append(out, web.NavItem{Group: "Trust", Label: "Log", Href: "/log", Key: "l"},
		web.NavItem{Group: "Trust", Label: "Keys", Href: "/keys", Key: "k"})
}
