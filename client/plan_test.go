package client

import (
	"fmt"
	"strings"
	"testing"

	"parallax/opening"
	"parallax/selector"
)

// goodPlan is one that a pool may start from.
func goodPlan() Plan {
	p := Plan{Pool: "pool", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email},
		Hub: opening.Operator{ID: "hub", Entity: "Operator", Key: public(vectorKey("hub")), LogOrigin: "log", LogKey: public(vectorKey("log"))}}
	for i := range 3 {
		p.Holders = append(p.Holders, opening.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), Entity: fmt.Sprint("Body ", i+1)})
		p.Governance.Governors = append(p.Governance.Governors, opening.Governor{ID: fmt.Sprint("gov-", i+1), Entity: fmt.Sprint("Council ", i%2), Key: public(vectorKey(fmt.Sprint("gov-", i)))})
	}
	p.Governance.Threshold = 2
	return p
}

// A ceremony begins only from a plan whose pool could be run and stopped, and
// started again after a stop.
func TestPlansThatNoPoolMayStartFrom(t *testing.T) {
	if err := goodPlan().Check(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(p *Plan)
		want   string
	}{
		"governors of one body":     {func(p *Plan) { p.Governance.Governors[1].Entity = "Council 0" }, "could never be lifted"},
		"one governor":              {func(p *Plan) { p.Governance = opening.Governance{Threshold: 1, Governors: p.Governance.Governors[:1]} }, "could never be lifted"},
		"a governor twice":          {func(p *Plan) { p.Governance.Governors[2].ID = "gov-2" }, "twice"},
		"a governor's key twice":    {func(p *Plan) { p.Governance.Governors[2].Key = p.Governance.Governors[1].Key }, "twice"},
		"a governor without a body": {func(p *Plan) { p.Governance.Governors[2].Entity = "" }, "controlling entity"},
		"the operator governs":      {func(p *Plan) { p.Governance.Governors[2].Entity = "Operator" }, "belongs to the hub operator"},
		"a threshold too high":      {func(p *Plan) { p.Governance.Threshold = 4 }, "threshold"},
		"no threshold":              {func(p *Plan) { p.Governance.Threshold = 0 }, "threshold"},
		"t too low":                 {func(p *Plan) { p.T = 1 }, "threshold must exceed"},
		"two holders of a body":     {func(p *Plan) { p.Holders[2].Entity = "Body 1" }, "entity of its own"},
		"the operator holds":        {func(p *Plan) { p.Holders[2].Entity = "Operator" }, "entity of its own"},
		"no classes":                {func(p *Plan) { p.Classes = nil }, "classes"},
		"no key of the log":         {func(p *Plan) { p.Hub.LogKey = nil }, "log key"},
	} {
		p := goodPlan()
		c.change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
