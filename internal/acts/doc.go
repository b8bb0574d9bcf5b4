// Package acts holds decisions about statistics that take two people of
// different bodies: somebody proposes one, an approver of the authority and one
// of the oversight body sign its exact bytes at their desks, the log takes it,
// and only when a witnessed checkpoint covers it does it take effect.
//
// The package knows nothing of what an act does: each kind brings a check and an
// effect. Whoever gives effect to an act gets a [Permit], which shows to
// everybody who asks that both people signed and that the log holds it.
package acts
