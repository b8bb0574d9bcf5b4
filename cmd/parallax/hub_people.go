package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/hub"
	"parallax/internal/identity"
	"parallax/internal/store"
)

// hubMachine is what the commands about people share: they work on the hub's
// own machine, on its database, also while it runs.
type hubMachine struct {
	Dir      string `required:"" type:"path" help:"The hub's directory."`
	Database string `env:"PARALLAX_HUB_DATABASE" help:"SQLite file or postgres:// URL; hub.db in the directory if left out."`
	JSON     bool   `name:"json" help:"Print the answer as JSON."`
}

func (c *hubMachine) use(ctx context.Context, do func(s *identity.Service, who hub.Identity) error) error {
	who, err := hub.LoadIdentity(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Invalid, "no hub in "+c.Dir+"; run hub init first", err)
	}
	if err != nil {
		return err
	}
	database := c.Database
	if database == "" {
		database = filepath.Join(c.Dir, "hub.db")
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := hub.OpenPeople(ctx, db, who, clock.System(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return do(s, who)
}

type hubInvite struct {
	hubMachine
	Admin        bool          `help:"Invite the first administrator of an organisation: whom else it invites is for that person."`
	Organisation string        `help:"The organisation's id; the hub's own if left out."`
	Name         string        `help:"The person's name; stays in the hub's database."`
	Again        string        `placeholder:"PERSON" help:"A new link for a first administrator who lost the old one, by the person's id."`
	Expires      time.Duration `default:"72h" help:"How long the link can be used; at most 336h."`
	Reason       string        `required:"" help:"Why, on one line for the log; names nobody."`
}

// Run prints the one-time link.
func (c *hubInvite) Run(ctx context.Context, std streams) error {
	if c.Again == "" && (!c.Admin || c.Name == "") {
		return fault.New(fault.Invalid, "the operator invites only the first administrator of an organisation: add --admin and --name")
	}
	return c.use(ctx, func(s *identity.Service, who hub.Identity) error {
		organisation := c.Organisation
		if organisation == "" {
			organisation = who.ID
		}
		var e identity.Enrolment
		var err error
		if c.Again != "" {
			e, err = s.Renew(ctx, identity.AtTheMachine(), c.Again, c.Expires, c.Reason)
		} else {
			e, err = s.Invite(ctx, identity.AtTheMachine(), organisation, c.Name, []identity.Role{identity.OrganisationAdmin}, c.Expires, c.Reason)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, e)
		}
		fmt.Fprintln(std.out, e.Link)
		fmt.Fprintf(std.err, "this link is shown once, works once, and until %s; give it to the person and to nobody else\nthe person's id in the log is %s\n",
			e.Expires.UTC().Format("2 Jan 2006, 15:04 UTC"), e.Person)
		return nil
	})
}

type hubPeople struct {
	hubMachine
}

// listedPerson is one person as hub people prints it.
type listedPerson struct {
	ID           string          `json:"id"`
	Organisation string          `json:"organisation"`
	Name         string          `json:"name"`
	State        string          `json:"state"`
	Roles        []identity.Role `json:"roles"`
	SignsInWith  string          `json:"signs_in_with"`
}

// Run lists everybody.
func (c *hubPeople) Run(ctx context.Context, std streams) error {
	return c.use(ctx, func(s *identity.Service, _ hub.Identity) error {
		list := []listedPerson{}
		for after := ""; ; {
			page, err := s.People(ctx, identity.AtTheMachine(), after, 500)
			if err != nil {
				return err
			}
			for _, p := range page {
				list = append(list, listedPerson{p.ID, p.Organisation, p.Name, p.State, p.Roles, p.Account})
				after = p.ID
			}
			if len(page) < 500 {
				break
			}
		}
		if c.JSON {
			return printJSON(std.out, list)
		}
		if len(list) == 0 {
			fmt.Fprintln(std.err, "nobody yet; parallax hub invite --admin prints the first link")
		}
		for _, p := range list {
			var roles []string
			for _, r := range p.Roles {
				roles = append(roles, string(r))
			}
			fmt.Fprintf(std.out, "%s  %s  %s  %s  %s\n", p.ID, p.Organisation, p.State, strings.Join(roles, ","), p.Name)
		}
		return nil
	})
}

// hubPerson is a command about one person.
type hubPerson struct {
	hubMachine
	Person string `arg:"" help:"The person's id, as hub people lists it."`
	Reason string `required:"" help:"Why, on one line for the log; names nobody."`
}

type hubSuspendPerson struct{ hubPerson }

// Run suspends a person.
func (c *hubSuspendPerson) Run(ctx context.Context, std streams) error {
	return c.act(ctx, std, "suspended", (*identity.Service).Suspend)
}

type hubEndSessions struct{ hubPerson }

// Run signs a person out everywhere.
func (c *hubEndSessions) Run(ctx context.Context, std streams) error {
	return c.act(ctx, std, "signed out", (*identity.Service).EndSessions)
}

func (c *hubPerson) act(ctx context.Context, std streams, done string, do func(*identity.Service, context.Context, identity.Principal, string, string) error) error {
	return c.use(ctx, func(s *identity.Service, _ hub.Identity) error {
		if err := do(s, ctx, identity.AtTheMachine(), c.Person, c.Reason); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(std.out, map[string]string{"person": c.Person, "done": done})
		}
		fmt.Fprintf(std.err, "%s is %s, from the next request on\n", c.Person, done)
		return nil
	})
}

// providerFile is one provider as the file of --oidc lists it.
type providerFile struct {
	identity.Provider
	SecretFile string `json:"client_secret_file"`
}

// readProviders reads the OpenID providers of a hub; without a file there are
// none. A secret stands in a file of its own, beside or at its path.
func readProviders(path, dir string) ([]identity.Provider, error) {
	if path == "" {
		path = filepath.Join(dir, "oidc.json")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []providerFile
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fault.Wrap(fault.Invalid, fmt.Sprintf("%s: want a list of providers with id, name, issuer, client_id and client_secret_file: %v", path, err), err)
	}
	var out []identity.Provider
	for _, p := range list {
		if p.SecretFile != "" {
			at := p.SecretFile
			if !filepath.IsAbs(at) {
				at = filepath.Join(filepath.Dir(path), at)
			}
			secret, err := os.ReadFile(at)
			if err != nil {
				return nil, fault.Wrap(fault.Invalid, fmt.Sprintf("%s: provider %s: %v", path, p.ID, err), err)
			}
			p.Secret = identity.Secret(strings.TrimSpace(string(secret)))
		}
		if err := p.Check(); err != nil {
			return nil, fault.Wrap(fault.Invalid, path+": "+err.Error(), err)
		}
		out = append(out, p.Provider)
	}
	return out, nil
}
