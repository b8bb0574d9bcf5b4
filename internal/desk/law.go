package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
)

const lawSetting = "law"

// keptLaw is what this desk answers by: the files as they were given, checked
// again whenever they are used.
type keptLaw struct {
	Files law.Files `json:"files"`
	Actor string    `json:"actor"` // what kind of organisation this desk's is
}

// A LawState says what the desk's own counsel allow it to send to the pool.
type LawState struct {
	Actor    string   `json:"actor"`
	Decision string   `json:"decision"` // the standing decision that contributions rest on
	Route    []string `json:"route"`    // its rows of law
	FactsBy  string   `json:"facts_by"` // who asserts its facts
	Facts    []string `json:"facts"`
	Version  string   `json:"data_version"`
	Digest   string   `json:"digest"` // of the law data with its overlay
	SignedBy []string `json:"signed_by"`
	Review   string   `json:"review"` // the sentence that is shown with every answer
	From     string   `json:"effective_from"`
	To       string   `json:"effective_to"`
}

// Basis is what is recorded with every evaluation: the gateway's id and the day.
func (l LawState) Basis(day, more string) string {
	basis := l.Decision + "@" + day
	if more = strings.TrimSpace(more); more != "" {
		basis += " " + more
	}
	return basis
}

func (d *Desk) day() string { return d.clock.Now().UTC().Format(time.DateOnly) }

// errNoLaw is told to a desk that holds no answer of its counsel.
var errNoLaw = fault.New(fault.Forbidden, "Nothing may be sent: this desk holds no answer of your counsel to the question whether you may submit to the pool. "+
	"Have two counsel sign an overlay (parallax gateway sign), then run \"parallax desk law\".")

// KeepLaw takes over what the member's counsel signed. It refuses what would not
// let the desk submit today, and keeps what was there.
func (d *Desk) KeepLaw(ctx context.Context, files law.Files, actor string) (LawState, error) {
	k := keptLaw{Files: files, Actor: actor}
	if k.Actor == "" {
		k.Actor = law.ActorOf(d.who.Sector)
	}
	_, st, err := k.contribution(d.day())
	if err != nil {
		return st, err
	}
	return st, d.records.keep(ctx, lawSetting, k)
}

// Law is the law data that the desk answers by: its counsel's where it holds
// any, else the built-in rows.
func (d *Desk) Law(ctx context.Context) (law.Deployed, string, error) {
	k, err := d.kept(ctx)
	if fault.Is(err, fault.Forbidden) {
		k, err = keptLaw{Actor: law.ActorOf(d.who.Sector)}, nil
	}
	if err != nil {
		return law.Deployed{}, "", err
	}
	data, err := law.Deploy(k.Files, d.day())
	return data, k.Actor, err
}

func (d *Desk) kept(ctx context.Context) (k keptLaw, err error) {
	err = d.records.setting(ctx, lawSetting, &k)
	if fault.Is(err, fault.NotFound) {
		return k, errNoLaw
	}
	return k, err
}

// MaySubmit asks the gateway whether this desk may send to the pool today. An
// error means that it may not: no answer, one that counsel did not sign, one over
// other rows, one that is over, or one that the rows do not carry today.
func (d *Desk) MaySubmit(ctx context.Context) (LawState, error) {
	k, err := d.kept(ctx)
	if err != nil {
		return LawState{}, err
	}
	_, st, err := k.contribution(d.day())
	return st, err
}

// contribution is the standing decision by which an organisation of the kind
// contributes on a day.
func (k keptLaw) contribution(day string) (law.Deployed, LawState, error) {
	st := LawState{Actor: k.Actor}
	data, err := law.Deploy(k.Files, day)
	if err != nil {
		return data, st, fault.Wrap(fault.KindOf(err), "Nothing may be sent: "+fault.Sentence(err), err)
	}
	st.Version, st.Digest, st.SignedBy, st.Review = data.Set.Meta.DataVersion, data.Digest, data.SignedBy, data.Set.Meta.Review
	st.From, st.To = data.Statement.EffectiveFrom, data.Statement.EffectiveTo
	if data.SignedBy == nil {
		return data, st, fault.New(fault.Forbidden, "Nothing may be sent: the law data of this desk is not signed by two of your counsel. "+asks(data, k.Actor, day))
	}
	i := slices.IndexFunc(data.Decisions, func(x law.Decision) bool { return x.Flow == law.FlowContribution && x.From == k.Actor })
	if i < 0 {
		return data, st, fault.Newf(fault.Forbidden, "Nothing may be sent: your counsel signed no decision that %q contributes to the pool. %s", k.Actor, asks(data, k.Actor, day))
	}
	x, r, err := data.Standing(data.Decisions[i].ID, day)
	if err != nil {
		return data, st, fault.Wrap(fault.Forbidden, "Nothing may be sent: "+fault.Sentence(err), err)
	}
	st.Decision, st.Route, st.FactsBy, st.Facts = x.ID, r.IDs, x.FactsBy, x.Facts
	return data, st, nil
}

// asks is the gateway's own answer to holder -> pool, in one sentence.
func asks(data law.Deployed, actor, day string) string {
	a, err := data.Finder.Find(route.Question{From: actor, To: "plx.pool", Holds: []string{"token"}, Wants: "token", Purpose: "detect", AsOf: day})
	if err != nil {
		return "Say what kind of organisation you are: parallax desk law --as au.fsp."
	}
	return "The gateway answers: " + strings.Join(a.Explanation[:1], " ")
}

// MayExport asks the gateway whether material may leave as a file under one of
// the standing decisions that this desk's counsel signed.
func (d *Desk) MayExport(ctx context.Context, decision string, flags []string) (law.Decision, route.Route, error) {
	refuse := func(format string, args ...any) (law.Decision, route.Route, error) {
		return law.Decision{}, route.Route{}, fault.New(fault.Forbidden, "Nothing was exported: "+fmt.Sprintf(format, args...))
	}
	k, err := d.kept(ctx)
	if fault.Is(err, fault.Forbidden) {
		return refuse("this desk holds no law data that your counsel signed. Run \"parallax desk law\".")
	}
	if err != nil {
		return law.Decision{}, route.Route{}, err
	}
	data, err := law.Deploy(k.Files, d.day())
	if err != nil {
		return refuse("%s", fault.Sentence(err))
	}
	x, r, err := data.Standing(decision, d.day())
	switch {
	case err != nil:
		return refuse("%s", fault.Sentence(err))
	case x.Flow != law.FlowExport && x.Flow != law.FlowReferral:
		return refuse("%s is a decision about %s, not about an export or a referral.", x.ID, x.Flow)
	case x.From != k.Actor:
		return refuse("%s is a decision for %s, and this desk is %s.", x.ID, x.From, k.Actor)
	case len(flags) > 0 && !x.AllowSMR:
		return refuse("%s does not carry what stems from a report of suspicion.", x.ID)
	}
	return x, r, nil
}
