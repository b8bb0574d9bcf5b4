package keyholder

import (
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/signed"
)

// Budget tells a member what is left today of its own budgets at this holder,
// and which of its batches were charged already: a desk that lost its records
// can ask. It charges nothing, writes nothing and speaks of no other member.
func (s *Server) Budget(o signed.Object) (signed.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var req client.BudgetRequest
	m, err := s.sender(o, client.PathBudget, s.memberKey, &req)
	if err != nil {
		return signed.Object{}, err
	}
	if len(req.Batches) > client.MaxBudgetBatches {
		return signed.Object{}, fault.Newf(fault.Invalid, "The question names more than %d batches.", client.MaxBudgetBatches)
	}
	day := s.clock.Now().UTC().Format(time.DateOnly)
	a := client.BudgetAnswer{Organisation: m.Sender, Index: s.keys.index, Day: day, Nonce: req.Nonce,
		Classes: []client.ClassBudget{}, Charged: make([]bool, len(req.Batches))}
	for _, c := range s.state.manifest.Classes {
		left := max(c.DailyBudget-s.state.used[budgetKey{m.Sender, string(c.Class), day}], 0)
		a.Classes = append(a.Classes, client.ClassBudget{Class: c.Class, Daily: c.DailyBudget, Left: left})
	}
	for i, digest := range req.Batches {
		a.Charged[i] = s.state.charged[digest]
	}
	return signed.Sign(client.BudgetDomain, s.who.ID, s.who.signKey(), a)
}
