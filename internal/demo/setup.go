package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/desk"
	"parallax/internal/sim"
	"parallax/opening"
	"parallax/selector"
)

// together runs jobs side by side, as many as there are processors, and gives
// the first error. The others are then called off.
func together(ctx context.Context, jobs ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, max(2, runtime.NumCPU()))
	done := make(chan error, len(jobs))
	for _, job := range jobs {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			err := ctx.Err()
			if err == nil {
				err = job(ctx)
			}
			if err != nil {
				cancel(err)
			}
			done <- err
		}()
	}
	var failed error
	for range jobs {
		if err := <-done; err != nil && failed == nil {
			failed = err
		}
	}
	if cause := context.Cause(ctx); failed != nil && cause != nil {
		return cause // the first error, not one that followed from it
	}
	return failed
}

// newStage draws the world and sets the clock after its last row.
func newStage(ctx context.Context, o Options, say *narrator) (*stage, error) {
	s := &stage{dir: o.Dir, say: say, http: client.NewHTTP(10 * time.Second), pages: make(map[string]page)}
	var err error
	if s.prog, err = newProgram(s.path("logs")); err != nil {
		return nil, err
	}
	world := s.path("world")
	_, err = s.prog.run(ctx, "sim", "write", "--seed", strconv.FormatUint(o.Seed, 10), "--actors", strconv.Itoa(o.Actors), "--out", world)
	if err != nil {
		return nil, err
	}
	if s.data, err = sim.Load(world); err != nil {
		return nil, err
	}
	if s.opened, err = firstDay(s.data); err != nil {
		return nil, err
	}
	s.clock = clock.File(s.clockFile())
	return s, s.clock.Advance(s.opened.Sub(s.clock.Now()))
}

// firstDay is the morning after the last day on which a row waits for leave to
// be submitted.
func firstDay(d *sim.Data) (time.Time, error) {
	last := ""
	for _, o := range contributors() {
		for _, row := range d.Rows[o.ID] {
			last = max(last, row.SubmitFrom) // 2006-01-02 sorts by time
		}
	}
	day, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return day, errors.New("the simulated exports name no day from which they may be submitted")
	}
	return day.AddDate(0, 0, 1).Add(9 * time.Hour), nil
}

// keys makes everybody's keys, starts hub and holders and holds the ceremony.
func (s *stage) keys(ctx context.Context) error {
	s.plan = client.Plan{Pool: "demonstration", Epoch: s.opened.Format("2006-01"), T: 2, N: 3, Classes: linked(),
		Governance: opening.Governance{Threshold: 2, Governors: make([]opening.Governor, 3)}, Holders: make([]opening.Holder, 3)}
	var jobs []func(context.Context) error
	for i := range s.plan.Governance.Governors {
		id := fmt.Sprint("governor-", i+1)
		jobs = append(jobs, func(ctx context.Context) error {
			return s.call(ctx, &s.plan.Governance.Governors[i], "governance", "init", "--key", s.path(id), "--id", id, "--entity", fmt.Sprint("Governance body ", i+1))
		})
	}
	hubAddr, err := freeAddr()
	if err != nil {
		return err
	}
	jobs = append(jobs, func(ctx context.Context) error {
		return s.call(ctx, &s.plan.Hub, "hub", "init", "--dir", s.path("hub"), "--id", hubID, "--entity", "Hub operator", "--url", "http://"+hubAddr)
	})
	addrs := make([]string, len(s.plan.Holders))
	for i := range s.plan.Holders {
		if addrs[i], err = freeAddr(); err != nil {
			return err
		}
		id := fmt.Sprint("holder-", i+1)
		jobs = append(jobs, func(ctx context.Context) error {
			return s.call(ctx, &s.plan.Holders[i], "keyholder", "init", "--dir", s.path(id), "--id", id, "--entity", fmt.Sprint("Key body ", i+1), "--url", "http://"+addrs[i])
		})
	}
	if err := together(ctx, jobs...); err != nil {
		return err
	}
	for i := range s.plan.Holders {
		s.plan.Holders[i].Index = i + 1
	}
	if err := s.lawFiles(); err != nil {
		return err
	}
	file, err := s.write("plan.json", s.plan)
	if err != nil {
		return err
	}
	args := append([]string{"hub", "serve", "--log-level", "warn", "--dir", s.path("hub"), "--plan", file, "--listen", hubAddr,
		"--law-overlay", s.path("law", "overlay.yaml"), "--law-published", s.path("law", "published.json"), "--law-counsel", s.path("law", "counsel.json"),
		"--tick", tick.String(), "--leaves", strconv.Itoa(leaves), "--demo-console"}, s.demo()...)
	if s.home != "" {
		args = append(args, "--home", s.home)
	}
	if err := s.prog.serve(ctx, hubID, s.plan.Hub.URL+client.PathStatus, args...); err != nil {
		return err
	}
	if err := s.ceremony(ctx, file); err != nil {
		return err
	}
	jobs = nil
	for i, h := range s.plan.Holders {
		args := append([]string{"keyholder", "serve", "--dir", s.path(h.ID), "--listen", addrs[i]}, s.demo()...)
		jobs = append(jobs, func(ctx context.Context) error { return s.prog.serve(ctx, h.ID, h.URL+client.PathStatus, args...) })
	}
	return together(ctx, jobs...)
}

// linked are the classes that the demonstration's pool takes: all but IP
// addresses, which never link people.
func linked() []selector.Class {
	var out []selector.Class
	for _, c := range selector.Classes() {
		if c != selector.IP {
			out = append(out, c)
		}
	}
	return out
}

// ceremony runs the three holders' ceremony; all must print one hash.
func (s *stage) ceremony(ctx context.Context, plan string) error {
	pins := make([]string, len(s.plan.Holders))
	done := make(chan error, len(pins))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, h := range s.plan.Holders { // all at once, or none would finish
		go func() {
			out, err := s.prog.run(ctx, "keyholder", "ceremony", "--dir", s.path(h.ID), "--plan", plan, "--timeout", "2m")
			pins[i] = trimmed(out)
			done <- err
		}()
	}
	for range pins {
		if err := <-done; err != nil {
			return fmt.Errorf("key ceremony: %w", err)
		}
	}
	s.pin = pins[0]
	for _, p := range pins {
		if p != s.pin || len(p) != 64 {
			return errors.New("key ceremony: the holders print different transcript hashes")
		}
	}
	return nil
}

// admit makes the desks, signs the manifest that lists them, and joins them.
func (s *stage) admit(ctx context.Context) error {
	m := opening.Manifest{Version: 1, Pool: s.plan.Pool, Epoch: s.plan.Epoch, Issued: s.opened.UnixMicro(), Demo: true,
		Hub: s.plan.Hub, Holders: s.plan.Holders, Quorum: s.plan.T,
		Scope: opening.Scope{Offences: []string{"online-cse"},
			Roles: []string{"unknown", "suspected_consumer", "suspected_distributor", "suspected_facilitator", opening.RolePossibleVictim}},
		Rules: []opening.Rule{opening.DefaultRule()}, CurrentRule: opening.DefaultRule().Hash(),
		Delays: opening.Delays{OpenSeconds: int64(openDelay.Seconds()), ReleaseEvery: int64(releaseEvery.Seconds())},
		LegalBases: []opening.LegalBasis{{ID: basisID, Purpose: purpose, Recipient: authorityID,
			From: s.opened.AddDate(0, -1, 0).UnixMicro(), To: s.opened.AddDate(1, 0, 0).UnixMicro()}}}
	if err := m.Transcript.UnmarshalText([]byte(s.pin)); err != nil {
		return err
	}
	for _, c := range s.plan.Classes {
		m.Classes = append(m.Classes, opening.ClassRule{Class: c, RuleVersion: c.RuleVersion(), DailyBudget: 20_000})
	}
	if err := s.desks(ctx, &m); err != nil {
		return err
	}
	s.manifest = m
	if err := s.publish(ctx, m); err != nil {
		return err
	}
	var jobs []func(context.Context) error
	for _, id := range s.everyDesk() {
		jobs = append(jobs, func(ctx context.Context) error {
			_, err := s.desk(ctx, id, "join", "--hub", s.plan.Hub.URL, "--pin", s.pin)
			return err
		})
	}
	return together(ctx, jobs...)
}

// everyDesk lists the contributors and the oversight approver.
func (s *stage) everyDesk() []string {
	var out []string
	for _, o := range contributors() {
		out = append(out, o.ID)
	}
	return append(out, overseerID)
}

func (s *stage) desks(ctx context.Context, m *opening.Manifest) error {
	orgs := contributors()
	cards := make([]desk.Card, len(orgs)+1)
	var jobs []func(context.Context) error
	add := func(i int, id, sector, role string) {
		jobs = append(jobs, func(ctx context.Context) error {
			return s.call(ctx, &cards[i], "desk", "init", "--dir", s.path("desks", id), "--id", id, "--entity", title(id),
				"--sector", sector, "--name", title(id), "--role", role)
		})
	}
	for i, o := range orgs {
		role := desk.RoleContributor
		if o.ID == authorityID {
			role = desk.RoleAuthority
		}
		add(i, o.ID, o.Sector, role)
	}
	add(len(orgs), overseerID, "oversight", desk.RoleApprover)
	if err := together(ctx, jobs...); err != nil {
		return err
	}
	if err := s.deskLaws(ctx); err != nil {
		return err
	}
	for _, c := range cards {
		if c.Member != nil {
			c.Member.Admitted = s.opened.AddDate(0, 0, -admittedDays).UnixMicro()
			m.Members = append(m.Members, *c.Member)
		}
		if c.Approver != nil {
			m.Approvers = append(m.Approvers, *c.Approver)
		}
		if c.Authority != nil {
			m.Authority = *c.Authority
		}
	}
	return nil
}

// publish has two of three governors sign the manifest and sends it out.
func (s *stage) publish(ctx context.Context, m opening.Manifest) error {
	file, err := s.write("manifest.json", m)
	if err != nil {
		return err
	}
	for i, key := range []string{"governor-1", "governor-3"} {
		out := s.path(fmt.Sprintf("manifest-signed-%d.json", i+1))
		if _, err := s.prog.run(ctx, "governance", "sign", "--key", s.path(key), "-o", out, file); err != nil {
			return err
		}
		file = out
	}
	_, err = s.prog.run(ctx, "governance", "publish", file)
	return err
}

// deskPages starts the local page of each desk that has one.
func (s *stage) deskPages(ctx context.Context) error {
	var jobs []func(context.Context) error
	var mu sync.Mutex
	for _, id := range served {
		jobs = append(jobs, func(ctx context.Context) error {
			addr, err := freeAddr()
			if err != nil {
				return err
			}
			p := page{URL: "http://" + addr, Key: rand.Text()}
			args := append([]string{"desk", "serve", "--dir", s.path("desks", id), "--listen", addr, "--access-key", p.Key, "--home", s.home}, s.demo()...)
			if err := s.prog.serve(ctx, "desk-"+id, p.URL, args...); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.pages[id] = p
			return nil
		})
	}
	return together(ctx, jobs...)
}
