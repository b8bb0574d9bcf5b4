package authz

import (
	_ "embed"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cedar-policy/cedar-go"

	"parallax/internal/scope"
)

//go:embed policy.cedar
var policyText []byte

// A Gate decides. It may be used from several goroutines.
type Gate struct {
	policies *cedar.PolicySet
	check    checker
	log      *slog.Logger
	alarms   atomic.Int64
}

// New makes the gate of this program's policies, or says what is wrong with them.
func New(log *slog.Logger) (*Gate, error) { return load(policyText, log) }

func load(text []byte, log *slog.Logger) (*Gate, error) {
	check, err := newChecker()
	if err != nil {
		return nil, err
	}
	list, err := cedar.NewPolicyListFromBytes("policy.cedar", text)
	if err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	g := &Gate{policies: cedar.NewPolicySet(), check: check, log: log}
	for _, p := range list {
		id := string(p.Annotations()["id"])
		if id == "" {
			return nil, fmt.Errorf("authz: the policy at line %d of policy.cedar has no @id", p.Position().Line)
		}
		if err := check.policy(id, p); err != nil {
			return nil, fmt.Errorf("authz: policy %s: %w", id, err)
		}
		if !g.policies.Add(cedar.PolicyID(id), p) {
			return nil, fmt.Errorf("authz: there are two policies %s", id)
		}
	}
	return g, nil
}

// A Decision says whether, and which policies made it so.
type Decision struct {
	Allow   bool
	Reasons []string // ids of the policies; what went wrong, where that denied
	scope   scope.Scope
}

// Scope is whose rows the work may touch: nobody's, unless it was allowed.
func (d Decision) Scope() scope.Scope { return d.scope }

// Decide answers whether p may do a to r. Anything that is not as the schema
// says, and any error while a policy is evaluated, denies and raises an alarm.
func (g *Gate) Decide(p Principal, a Action, r Resource, now time.Time) Decision {
	entities, request := ask(p, a, r, now)
	if err := g.check.question(p, r, entities, request); err != nil {
		return g.alarm(a, err.Error())
	}
	verdict, why := cedar.Authorize(g.policies, entities, request)
	if len(why.Errors) > 0 {
		var errs []string
		for _, e := range why.Errors {
			errs = append(errs, fmt.Sprintf("%s: %s", e.PolicyID, e.Message))
		}
		slices.Sort(errs)
		return g.alarm(a, errs...)
	}
	d := Decision{Allow: verdict == cedar.Allow}
	for _, x := range why.Reasons {
		d.Reasons = append(d.Reasons, string(x.PolicyID))
	}
	slices.Sort(d.Reasons)
	if d.Allow {
		d.scope = scopeOf(r)
	}
	return d
}

// scopeOf is whose rows an action on a resource touches.
func scopeOf(r Resource) scope.Scope {
	switch r.Kind {
	case Records, Organisation:
		return scope.Of(r.Organisation)
	case Leads, Statistics:
		return scope.Pool()
	default:
		return scope.Scope{}
	}
}

// alarm denies because something is broken here: no caller can bring it about
// by what it sends.
func (g *Gate) alarm(a Action, why ...string) Decision {
	g.alarms.Add(1)
	g.log.Error("the gate could not decide, so it denied", "action", string(a), "why", strings.Join(why, "; "))
	return Decision{Reasons: why}
}

// Alarms counts the decisions that something broken here denied; 0 is well.
func (g *Gate) Alarms() int64 { return g.alarms.Load() }
