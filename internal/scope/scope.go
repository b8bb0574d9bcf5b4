// Package scope names whose rows a piece of work may touch. A request gets its
// scope from the gate (internal/authz) and from nowhere else: only that package
// may make one, which a test of the house checks. Work that is no request (the
// tick, migrations, commands on the operator's machine) has none and is the
// system's.
//
// The type is what a query asks for: code that forgets it does not compile, and
// the zero Scope touches no organisation's rows. The store hands the scope of
// the context to PostgreSQL, whose row-level security is the second wall.
package scope

import "context"

// everything is the scope of what belongs to the whole pool. It cannot be an
// organisation's id, which is never empty and holds no asterisk.
const everything = "*"

// A Scope is one organisation's rows, or the whole pool's. The zero Scope is
// nobody's.
type Scope struct{ of string }

// Of is the scope of one organisation's rows; nobody's for "".
func Of(organisation string) Scope {
	if organisation == everything {
		return Scope{}
	}
	return Scope{organisation}
}

// Pool is the scope of all rows of the pool: leads, and what they rest on.
func Pool() Scope { return Scope{everything} }

// Organisation is whose rows these are; "" where they are nobody's or the
// whole pool's. Queries of one organisation's rows put it into their WHERE.
func (s Scope) Organisation() string {
	if s.of == everything {
		return ""
	}
	return s.of
}

// Whole reports the scope of the whole pool.
func (s Scope) Whole() bool { return s.of == everything }

// String is the scope in one word: an id, "*" or "".
func (s Scope) String() string { return s.of }

type key struct{}

// With gives work a scope. The registry of routes does so for every request,
// with nobody's scope until the gate has decided.
func With(ctx context.Context, s Scope) context.Context { return context.WithValue(ctx, key{}, s) }

// From is the scope of a request; ok is false for work that is no request.
func From(ctx context.Context) (s Scope, ok bool) {
	s, ok = ctx.Value(key{}).(Scope)
	return s, ok
}
