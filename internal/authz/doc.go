// Package authz is the one gate: whether a principal may do an action to a
// resource is decided here and nowhere else, by the Cedar policies in
// policy.cedar. What no policy permits is denied; any error while a policy is
// evaluated denies, whatever the others say, and raises an alarm.
//
// Policies are checked strictly against the schema when the gate is made: an
// unknown action, attribute, role or kind of principal or resource in a policy
// is a hub that does not start. The schema is made from the closed lists of this
// package, so a new action is one line in action.go and a word in policy.cedar.
//
// A decision that allows carries the scope that the work may touch (package
// scope); nothing else makes one.
package authz
