// Package card shows a question to the gateway and its answer to people, alike at
// a hub and at a desk: the form, the decision card with its routes, duties,
// deadlines and reasons, and the facts that would change the answer. It decides
// nothing.
package card
