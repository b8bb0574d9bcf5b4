package sim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"parallax/internal/fault"
)

// A truthLine is one line of the truth file. Exactly one field is set.
type truthLine struct {
	World    *truthWorld `json:"world,omitempty"`
	Actor    *truthActor `json:"actor,omitempty"`
	Row      *truthRow   `json:"row,omitempty"`
	Withdraw *Withdrawal `json:"withdraw,omitempty"`
}

type truthWorld struct {
	Params        Params         `json:"params"`
	Counts        Counts         `json:"counts"`
	Organisations []Organisation `json:"organisations"`
}

type truthActor struct {
	ID       string       `json:"id"`
	Role     string       `json:"role"`
	Modes    []string     `json:"modes"`
	Career   int          `json:"career,omitempty"`
	Yearly   float64      `json:"yearly"`
	Trap     float64      `json:"trappability"`
	Emails   []string     `json:"emails"`
	Phones   []string     `json:"phones"`
	Aliases  []truthAlias `json:"aliases"`
	Accounts []string     `json:"accounts"`
	Shares   string       `json:"shares_phone_with,omitempty"`
}

type truthAlias struct {
	Venue    string `json:"venue"`
	Username string `json:"username"`
	Account  string `json:"account_id"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
}

// A truthRow says whom a row of an export is about.
type truthRow struct {
	Organisation string `json:"organisation"`
	Reference    string `json:"reference"`
	Subject      string `json:"subject"`
}

func (w *World) writeTruth(b *bufio.Writer) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(truthLine{World: &truthWorld{w.Params, w.count, organisations}}); err != nil {
		return err
	}
	for _, a := range w.actors {
		if err := enc.Encode(truthLine{Actor: a.truth()}); err != nil {
			return err
		}
	}
	for _, o := range organisations {
		for _, row := range w.Rows[o.ID] {
			if err := enc.Encode(truthLine{Row: &truthRow{o.ID, row.Reference, row.subject}}); err != nil {
				return err
			}
		}
	}
	for i := range w.withdraw {
		if err := enc.Encode(truthLine{Withdraw: &w.withdraw[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (a *actor) truth() *truthActor {
	t := &truthActor{ID: a.ID, Role: a.Role, Modes: []string{}, Career: a.Career, Yearly: a.Yearly, Trap: a.Trap,
		Emails: a.Email.all(), Phones: a.Phone.all(), Aliases: []truthAlias{}, Accounts: []string{}}
	for _, m := range []struct {
		has  bool
		name string
	}{{a.Live, "pays-live"}, {a.Crypto, "pays-crypto"}, {a.Barter, "barter"}, {!a.pays() && !a.Barter, "free"}} {
		if m.has {
			t.Modes = append(t.Modes, m.name)
		}
	}
	for _, x := range a.Aliases {
		t.Aliases = append(t.Aliases, truthAlias{x.Venue.name, x.Username, x.AccountID, x.Email.Old, x.Phone.Old})
	}
	for _, x := range a.Banks {
		t.Accounts = append(t.Accounts, strings.TrimSpace(x.BSB+" "+x.Number))
	}
	if a.Household != nil {
		t.Shares = a.Household.ID
	}
	return t
}

func (c contact) all() []string {
	if c.New == "" {
		return []string{c.Old}
	}
	return []string{c.Old, c.New}
}

// Truth is what only the scorer reads.
type Truth struct {
	Params   Params
	Counts   Counts
	Actors   []string
	subjects map[string]string // by organisation and reference
	Withdraw []Withdrawal
}

func rowKey(org, reference string) string { return org + "\x00" + reference }

func loadTruth(dir string) (Truth, error) {
	t := Truth{subjects: make(map[string]string)}
	f, err := os.Open(filepath.Join(dir, TruthFile))
	if err != nil {
		return t, fault.Wrap(fault.NotFound, "this directory holds no simulated world: the truth file cannot be opened", err)
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReader(f))
	for n := 1; ; n++ {
		var line truthLine
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return t, fault.Wrap(fault.Invalid, fmt.Sprintf("the truth file cannot be read at entry %d", n), err)
		}
		switch {
		case line.World != nil:
			t.Params, t.Counts = line.World.Params, line.World.Counts
		case line.Actor != nil:
			t.Actors = append(t.Actors, line.Actor.ID)
		case line.Row != nil:
			t.subjects[rowKey(line.Row.Organisation, line.Row.Reference)] = line.Row.Subject
		case line.Withdraw != nil:
			t.Withdraw = append(t.Withdraw, *line.Withdraw)
		}
	}
	if len(t.Actors) == 0 {
		return t, fault.New(fault.Invalid, "the truth file names no actors")
	}
	return t, t.Params.check()
}
