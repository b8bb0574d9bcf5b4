package hub

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/opening"
)

// demoViewers lets a visitor of a demonstration say who is looking. Anyone who
// can reach it may be anyone, so it works only where the manifest in force is
// marked as a demonstration and the browser speaks to this machine by a
// loopback name.
type demoViewers struct{ s *Server }

// Principal implements Viewers.
func (d demoViewers) Principal(r *http.Request) (authz.Principal, error) {
	nobody := authz.Principal{}
	m, ok := d.s.state.current()
	if !ok || !m.Demo || !loopbackName(r.Host) {
		return nobody, nil
	}
	c, err := r.Cookie(demoCookie(r))
	if err != nil {
		return nobody, nil // no cookie: the public
	}
	role, escaped, _ := strings.Cut(c.Value, "/")
	id, err := url.PathUnescape(escaped)
	v, ok := demoViewer(m, demoRole(role), id)
	if err != nil || !ok {
		return nobody, nil
	}
	if demoRole(role) == officer {
		// Who chose to be an officer has just confirmed who it is, as far as that
		// goes in a demonstration.
		v.StepUpAt = d.s.o.Clock.Now()
	}
	return v, nil
}

// A demoRole is who a visitor of a demonstration can be.
type demoRole string

const (
	public      demoRole = "public"
	contributor demoRole = "contributor"
	authority   demoRole = opening.RoleAuthority
	oversight   demoRole = opening.RoleOversight
	auditor     demoRole = "auditor"
	programme   demoRole = "programme-lead"
	officer     demoRole = "officer"
)

// demoViewer is the viewer of a role in a manifest: a member that the visitor
// chose, or the first approver of the role unless another was chosen.
func demoViewer(m opening.Manifest, role demoRole, id string) (authz.Principal, bool) {
	p := authz.Principal{Kind: authz.Person, Demo: true}
	switch role {
	case contributor:
		mem, ok := m.Member(id)
		p.Person, p.Organisation, p.Name = mem.ID, mem.ID, "Contributor, "+memberName(mem)
		p.Roles = []authz.Role{authz.ContributorAnalyst}
		return p, ok
	case officer:
		mem, ok := m.Member(id)
		if id == m.Authority.ID {
			mem, ok = opening.Member{ID: id, Name: m.Authority.Entity}, true
		}
		p.Person, p.Organisation, p.Name = mem.ID+"-counsel", mem.ID, "Gateway officer, "+memberName(mem)
		p.Roles = []authz.Role{authz.GatewayOfficer}
		return p, ok
	case authority, oversight:
		for _, a := range m.Approvers {
			if a.Role == string(role) && (id == "" || a.ID == id) {
				key := approverKey(m, a)
				p.Person, p.Organisation, p.Roles, p.Name = key.Person, key.Organisation, key.Roles, approverName(a)
				return p, true
			}
		}
	case programme:
		p.Person, p.Roles, p.Name = "programme-lead", []authz.Role{authz.ProgrammeLead}, "Programme lead"
		return p, true
	case auditor:
		p.Roles, p.Name = []authz.Role{authz.AuditorRole}, "Auditor"
		return p, true
	}
	return authz.Principal{}, false
}

func memberName(m opening.Member) string {
	if m.Name != "" {
		return m.Name
	}
	return m.ID
}

func approverName(a opening.Approver) string {
	if a.Role == opening.RoleAuthority {
		return "Authority reviewer, " + a.Entity
	}
	return "Oversight approver, " + a.Entity
}

// demoCookie names the cookie by the port: browsers share cookies between all
// ports of a host, and a demonstration has several servers on one.
func demoCookie(r *http.Request) string {
	port := "0"
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, p, err := net.SplitHostPort(at.String()); err == nil {
			port = p
		}
	}
	return "parallax-demo-" + port
}

func loopbackName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// become sets who is looking and goes on to a page of this hub.
func (c *console) become(w http.ResponseWriter, r *http.Request) error {
	next, err := localPath(r.URL.Query().Get("next"))
	if err != nil {
		return err
	}
	if !loopbackName(r.Host) {
		return fault.New(fault.Forbidden, "A demonstration is open only on the machine that it runs on.")
	}
	m, ok := c.s.state.current()
	if !ok || !m.Demo {
		return fault.New(fault.Unavailable, "There is no demonstration manifest yet, so there is nobody to be.")
	}
	cookie := &http.Cookie{Name: demoCookie(r), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int((8 * time.Hour).Seconds())} //nolint:gosec // plain HTTP on loopback has no Secure
	role, id := demoRole(r.PathValue("role")), r.URL.Query().Get("member")
	if role == public {
		cookie.MaxAge = -1
	} else {
		v, ok := demoViewer(m, role, id)
		if !ok {
			return fault.New(fault.NotFound, "There is no such role in this demonstration. The page /demo lists them all.")
		}
		who := v.Person
		if role == officer {
			who = v.Organisation // whose officer it is; see demoViewer
		}
		cookie.Value = string(role) + "/" + url.PathEscape(who)
	}
	http.SetCookie(w, cookie)
	return web.Redirect(w, r, next)
}

// localPath is a path of this server, for going on to; empty means "/".
func localPath(next string) (string, error) {
	if next == "" {
		return "/", nil
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return "", fault.New(fault.Invalid, `The address to go on to must be a path of this hub that begins with one "/".`)
	}
	return next, nil
}

// picker lists who a visitor can be.
func (c *console) picker(w http.ResponseWriter, r *http.Request) error {
	view := web.View{Title: "Who is looking?", Question: "Through whose eyes do you want to see this demonstration?"}
	m, ok := c.s.state.current()
	if !ok || !m.Demo {
		view.Data = []any{web.Empty{What: "The roles of the demonstration appear here.",
			When: "They come with its manifest, once the key ceremony is done.", Action: &web.Link{Label: "Look again", Href: "/demo"}}}
		return c.blocks(w, r, view)
	}
	as := func(role demoRole, id, label, note string) web.Row {
		q := url.Values{"next": {"/"}}
		if id != "" {
			q.Set("member", id)
		}
		return web.Row{Cells: []web.Cell{web.L(label, "/demo/as/"+string(role)+"?"+q.Encode()), web.T(note)}}
	}
	var people, members, counsel []web.Row
	const ofCounsel = "Counsel of this organisation: decides about its requests to share, and keeps the barrier register."
	counsel = append(counsel, as(officer, m.Authority.ID, "Gateway officer, "+m.Authority.Entity, ofCounsel))
	for _, a := range m.Approvers {
		what := "Sees which sealed matches may be opened, asks for openings and approves them at the authority's desk."
		if a.Role == opening.RoleOversight {
			what = "Sees the same openings and approves or declines them at the oversight body's desk. Reads nothing."
		}
		people = append(people, as(demoRole(a.Role), a.ID, approverName(a), what))
	}
	people = append(people, as(programme, "", "Programme lead", "Sees how much there may be and what moved after an intervention; proposes counts, releases and registrations. Sees no lead."),
		as(auditor, "", "Auditor", "Checks the log, the key holders and the policy. Sees no lead."),
		as(public, "", "Nobody", "Sees what the public sees: the log and the keys."))
	for _, mem := range m.Members {
		members = append(members, as(contributor, mem.ID, memberName(mem), "Sees its own receipts. Nothing tells it what others hold."))
		counsel = append(counsel, as(officer, mem.ID, "Gateway officer, "+memberName(mem), ofCounsel))
	}
	view.Data = []any{web.Text("These identities are for the demonstration only and work only on this machine. A real hub asks people to sign in."),
		web.Table{Caption: "People", Columns: web.Cols("Look as", "What this role does"), Rows: people},
		web.Table{Caption: "Contributors", Columns: web.Cols("Look as", "What this role does"), Rows: members,
			Empty: web.Empty{What: "Members that contribute appear here.", When: "The manifest admits them."}},
		web.Table{Caption: "Counsel", Columns: web.Cols("Look as", "What this role does"), Rows: counsel,
			Empty: web.Empty{What: "Gateway officers appear here.", When: "The manifest admits their organisations."}}}
	return c.blocks(w, r, view)
}
