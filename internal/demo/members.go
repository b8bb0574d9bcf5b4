package demo

import (
	"strings"

	"parallax/internal/sim"
)

// IDs of those who are no simulated observer.
const (
	hubID       = "hub"
	authorityID = "police"
	overseerID  = "overseer"
	basisID     = "basis-1"
	purpose     = "investigation"
)

// served are the desks that have a page; the others only submit.
var served = []string{"bank-a", "bank-b", "platform-a", "platform-b", "platform-c", "hotline-a", authorityID, "fiu", overseerID}

// contributors are the organisations that the law lets into the pool.
func contributors() []sim.Organisation {
	var out []sim.Organisation
	for _, o := range sim.Organisations() {
		if !o.Foreign {
			out = append(out, o)
		}
	}
	return out
}

// holderTitle is a key holder's name for a reader.
func holderTitle(id string) string {
	return "Key holder " + strings.TrimPrefix(id, "holder-")
}

// title is an organisation's name for a reader.
func title(id string) string {
	switch id {
	case authorityID:
		return "Police centre"
	case "fiu":
		return "Financial intelligence unit"
	case overseerID:
		return "Oversight body"
	case "regulator":
		return "Regulator"
	}
	kind, letter, ok := strings.Cut(id, "-")
	if !ok || kind == "" {
		return id
	}
	return strings.ToUpper(kind[:1]) + kind[1:] + " " + strings.ToUpper(letter)
}

// lower is a name inside a sentence.
func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }
