package authz

import (
	"fmt"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"
)

const (
	principalShape = `organisation: String, roles: Set<Role>, suspended: Bool, contributes: Bool, demo: Bool, stepUpAt?: Long`
	resourceShape  = `organisation: String, state: String, roles: Set<Role>, pool: String, manifest: Long, authority: String, ` +
		`oversight: Set<String>, rule: String, admits: Set<String>, offences: Set<String>, demo: Bool`
	// Times are UTC microseconds.
	contextShape = `now: Long, stepUp: Long`
)

// Schema is what policies, entities and requests are checked against, in
// Cedar's own words. It is made from the closed lists of this package.
func Schema() string {
	var b strings.Builder
	fmt.Fprintf(&b, "entity Role enum [%s];\n", quoted(Roles()))
	for _, k := range principalKinds {
		fmt.Fprintf(&b, "entity %s { %s };\n", k, principalShape)
	}
	for _, k := range resourceKinds {
		fmt.Fprintf(&b, "entity %s { %s };\n", k, resourceShape)
	}
	for _, g := range []string{open, signedIn, remains, dangerous} {
		fmt.Fprintf(&b, "action %q;\n", g)
	}
	kinds := make([]string, len(principalKinds))
	for i, k := range principalKinds {
		kinds[i] = string(k)
	}
	for _, a := range actions {
		in := ""
		if len(a.in) > 0 {
			in = " in [" + quoted(a.in) + "]"
		}
		fmt.Fprintf(&b, "action %q%s appliesTo { principal: [%s], resource: [%s], context: { %s } };\n",
			a.Action, in, strings.Join(kinds, ", "), a.on, contextShape)
	}
	return b.String()
}

func quoted[S ~string](list []S) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", string(s))
	}
	return strings.Join(out, ", ")
}

// ask puts a question into Cedar's words.
func ask(p Principal, a Action, r Resource, now time.Time) (cedar.EntityMap, cedar.Request) {
	if p.Kind == "" {
		p.Kind = Public
	}
	who := cedar.RecordMap{"organisation": cedar.String(p.Organisation), "roles": roleSet(p.Roles),
		"suspended": cedar.Boolean(p.Suspended), "contributes": cedar.Boolean(p.Contributes), "demo": cedar.Boolean(p.Demo)}
	if !p.StepUpAt.IsZero() {
		who["stepUpAt"] = cedar.Long(p.StepUpAt.UnixMicro())
	}
	c := r.Compartment
	what := cedar.RecordMap{"organisation": cedar.String(r.Organisation), "state": cedar.String(r.State), "roles": roleSet(r.Roles),
		"pool": cedar.String(c.Pool), "manifest": cedar.Long(c.Manifest), "authority": cedar.String(c.Authority), "oversight": stringSet(c.Oversight),
		"rule": cedar.String(c.Rule), "admits": stringSet(c.Scope), "offences": stringSet(c.Offences), "demo": cedar.Boolean(c.Demo)}
	// The ids say nothing that a policy looks at: what counts are attributes.
	principal := cedar.NewEntityUID(cedar.EntityType(p.Kind), "asks")
	resource := cedar.NewEntityUID(cedar.EntityType(r.Kind), "asked")
	entities := cedar.EntityMap{
		principal: {UID: principal, Attributes: cedar.NewRecord(who)},
		resource:  {UID: resource, Attributes: cedar.NewRecord(what)},
	}
	action := cedar.NewEntityUID("Action", cedar.String(a))
	for _, x := range actions {
		if x.Action == a {
			entities[action] = cedar.Entity{UID: action, Parents: groupSet(x.in)}
		}
	}
	return entities, cedar.Request{Principal: principal, Action: action, Resource: resource,
		Context: cedar.NewRecord(cedar.RecordMap{"now": cedar.Long(now.UnixMicro()), "stepUp": cedar.Long(StepUp.Microseconds())})}
}

func groupSet(groups []string) cedar.EntityUIDSet {
	ids := make([]cedar.EntityUID, len(groups))
	for i, g := range groups {
		ids[i] = cedar.NewEntityUID("Action", cedar.String(g))
	}
	return cedar.NewEntityUIDSet(ids...)
}

func roleSet(list []Role) cedar.Set {
	out := make([]cedar.Value, len(list))
	for i, r := range list {
		out[i] = cedar.NewEntityUID("Role", cedar.String(r))
	}
	return cedar.NewSet(out...)
}

func stringSet(list []string) cedar.Set {
	out := make([]cedar.Value, len(list))
	for i, s := range list {
		out[i] = cedar.String(s)
	}
	return cedar.NewSet(out...)
}
