package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/web"
)

// A Site is the desk's local page. It listens on this machine only and shows
// nothing without the access key that was printed when it started. Without a
// desk it still checks files.
type Site struct {
	desk  *Desk // nil: there is no desk here; files can be checked all the same
	clock clock.Clock
	kit   *web.Kit
	door  door
	demo  bool
	home  string

	ctx    context.Context // of submissions: they outlive the request that starts them
	cancel context.CancelFunc
	jobs   sync.WaitGroup

	mu    sync.Mutex // owns what follows, and the state of every work
	works []*work    // the newest last
	run   *run       // the submission that runs, or that ran last
}

// SiteOptions of a local page.
type SiteOptions struct {
	Desk      *Desk // nil: check files only
	Clock     clock.Clock
	Log       *slog.Logger
	Addr      net.Addr // where it listens; must be on the loopback interface
	AccessKey string   // empty: a random one
	Home      string   // the demonstration's start page; may be empty
	Demo      bool
}

// NewSite makes the page. Close it before its desk.
func NewSite(o SiteOptions) (*Site, error) {
	s := &Site{desk: o.Desk, clock: o.Clock, demo: o.Demo, home: o.Home}
	if s.clock == nil {
		s.clock = clock.System()
	}
	var err error
	if s.door, err = newDoor(o.Addr, o.AccessKey, rand.Reader); err != nil {
		return nil, err
	}
	if s.kit, err = web.New(web.Config{Log: o.Log, Shell: s.shell}); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close stops what runs and waits for it; a submission goes on where it
// stopped when the same file is submitted again.
func (s *Site) Close() {
	s.cancel()
	s.jobs.Wait()
}

// URL is the address to open, with the access key in it.
func (s *Site) URL() string { return "http://" + s.door.hosts[0] + "/?key=" + s.door.key }

// needs says which desk a page is for.
type needs int

const (
	anyone needs = iota // also without a desk
	contributors
	approvers
)

type handler func(w http.ResponseWriter, r *http.Request) error

// address is one page or form: what it answers to, for which desks.
type address struct {
	pattern string
	who     needs
	do      handler
}

// addresses are all pages and forms.
func (s *Site) addresses() []address {
	return []address{
		{"GET /{$}", anyone, s.today},
		{"GET /check", anyone, s.checkForm},
		{"POST /check", anyone, s.checkFile},
		{"GET /check/{work}", anyone, s.checked},
		{"GET /check/{work}/state", anyone, s.checkState},
		{"POST /check/{work}/mapping", anyone, s.remap},
		{"POST /check/{work}/forget", anyone, s.forgetWork},
		{"GET /check/{work}/mapping.json", anyone, s.mappingFile},
		{"GET /check/{work}/issues.csv", anyone, s.issuesCSV},
		{"GET /routes", anyone, s.routes},
		{"GET /submit", contributors, s.submission},
		{"GET /submit/state", contributors, s.submissionState},
		{"POST /submit/kept", contributors, s.sendKept},
		{"GET /submit/{work}", contributors, s.plan},
		{"POST /submit/{work}", contributors, s.submit},
		{"GET /withdraw", contributors, s.withdrawForm},
		{"POST /withdraw/review", contributors, s.withdrawReview},
		{"POST /withdraw", contributors, s.withdraw},
		{"GET /openings", approvers, s.openings},
		{"GET /leads/{lead}", approvers, s.requestForm},
		{"POST /leads/{lead}/review", approvers, s.requestReview},
		{"POST /leads/{lead}", approvers, s.request},
		{"GET /openings/{id}", approvers, s.opening},
		{"GET /openings/{id}/state", approvers, s.openingState},
		{"POST /openings/{id}/approve", approvers, s.approve},
		{"POST /openings/{id}/review", approvers, s.review},
		{"GET /openings/{id}/handling", approvers, s.handling},
		{"POST /openings/{id}/handling", approvers, s.handle},
		{"POST /openings/{id}/lead", approvers, s.lead},
		{"POST /openings/{id}/own.csv", approvers, s.ownCSV},
		{"GET /corrections", approvers, s.corrections},
		{"POST /corrections/told", approvers, s.told},
		{"POST /openings/{id}/referrals", approvers, s.refer},
		{"GET /correct", contributors, s.correctForm},
		{"POST /correct/review", contributors, s.correctReview},
		{"POST /correct", contributors, s.correct},
		{"GET /outcomes", contributors, s.outcomes},
		{"POST /outcomes/fetch", contributors, s.fetchOutcomes},
		{"GET /sent", contributors, s.sent},
		{"POST /sent/proofs", contributors, s.fetchProofs},
		{"GET /sent/list.csv", contributors, s.sentCSV},
		{"GET /sent/{id}", contributors, s.sentOne},
		{"GET /sent/{id}/receipt.json", contributors, s.receiptFile},
	}
}

// Handler serves the pages.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", s.kit.Assets())
	for _, x := range s.addresses() {
		mux.Handle(x.pattern, s.guard(x.who, x.do))
	}
	mux.Handle("/", s.kit.Handle(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.NotFound, "There is nothing at this address.")
	}))
	return s.kit.Protect(s.door.keep(s, mux))
}

type statusKey struct{}

// guard reads the desk's status once for each page and refuses who may not.
func (s *Site) guard(who needs, do handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := s.withStatus(r)
		if err == nil {
			err = status(r).may(who)
		}
		if err == nil {
			err = do(w, r)
		}
		if err != nil {
			s.kit.Fail(w, r, err)
		}
	})
}

func (s *Site) withStatus(r *http.Request) (*http.Request, error) {
	if s.desk == nil {
		return r, nil
	}
	st, err := s.desk.Status(r.Context())
	return r.WithContext(context.WithValue(r.Context(), statusKey{}, st)), err
}

func (st Status) may(who needs) error {
	switch {
	case who == anyone:
		return nil
	case !st.Joined:
		return fault.New(fault.Forbidden, "This needs a desk that has joined a pool: run \"parallax desk init\" and \"parallax desk join\", then start this page with its --dir. Checking files works without.")
	case who == contributors && !st.Contributes:
		return fault.New(fault.Forbidden, "The pool's manifest does not list this desk as a member that contributes.")
	case who == approvers && !st.Approves:
		return fault.New(fault.Forbidden, "The pool's manifest does not list this desk as an approver.")
	}
	return nil
}

func status(r *http.Request) Status {
	st, _ := r.Context().Value(statusKey{}).(Status)
	return st
}

// shell surrounds every page; for one who has not shown the key it says nothing.
func (s *Site) shell(r *http.Request) web.Shell {
	sh := web.Shell{Product: "Parallax", Section: "Desk",
		Footer: "This page runs on this computer only and answers nobody else. A signal is not proof: everything here is unverified."}
	if s.demo {
		sh.Banner = "Demonstration: simulated data"
	}
	if s.home != "" {
		sh.Links = append(sh.Links, web.Link{Label: "Demonstration start page", Href: s.home})
	}
	if !s.door.open(r) {
		return sh
	}
	st := status(r)
	if st.Name != "" {
		sh.Section, sh.Role = "Desk of "+st.Name, roleWord(st)
	}
	sh.Nav = append(sh.Nav, web.NavItem{Group: "Work", Label: "Today", Href: "/", Key: "t"},
		web.NavItem{Group: "Work", Label: "Check a file", Href: "/check", Key: "c"},
		web.NavItem{Group: "Law", Label: "Routes", Href: "/routes", Key: "r"})
	if st.Contributes {
		sh.Nav = append(sh.Nav, web.NavItem{Group: "Contribute", Label: "Submit", Href: "/submit", Key: "u"},
			web.NavItem{Group: "Contribute", Label: "Sent", Href: "/sent", Key: "s"},
			web.NavItem{Group: "Contribute", Label: "Correct", Href: "/correct"},
			web.NavItem{Group: "Contribute", Label: "Outcomes", Href: "/outcomes"},
			web.NavItem{Group: "Contribute", Label: "Withdraw", Href: "/withdraw"})
	}
	if st.Approves {
		sh.Nav = append(sh.Nav, web.NavItem{Group: "Open", Label: "Openings", Href: "/openings", Key: "o"})
	}
	if st.Approves && st.Role == RoleAuthority {
		sh.Nav = append(sh.Nav, web.NavItem{Group: "Open", Label: "Corrections", Href: "/corrections"})
	}
	return sh
}

func roleWord(st Status) string {
	switch {
	case !st.Joined:
		return "has joined no pool"
	case st.Approves && st.Role == RoleAuthority:
		return "Authority, pool " + st.Pool
	case st.Approves:
		return "Oversight approver, pool " + st.Pool
	case st.Contributes:
		return "Contributor, pool " + st.Pool
	}
	return "not in the manifest of pool " + st.Pool
}

// blocks renders a page of components.
func (s *Site) blocks(w http.ResponseWriter, r *http.Request, code int, v web.View) error {
	return s.kit.Render(w, r, code, web.Blocks, v)
}

// download answers with a file to keep.
func download(w http.ResponseWriter, name, kind string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the reader may be gone; nobody is left to tell
	return nil
}

// maxForm bounds a form without files, in bytes.
const maxForm = 1 << 20

// form reads a posted form of bounded size.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	return nil
}

func randomID(random io.Reader) (string, error) {
	var raw [8]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", errors.New("no randomness")
	}
	return hex.EncodeToString(raw[:]), nil
}
