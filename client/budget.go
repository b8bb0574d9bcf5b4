package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"parallax/opening"
	"parallax/selector"
	"parallax/signed"
)

// PathBudget is where a member asks a holder for its own budgets.
const PathBudget = "/v1/budget"

// BudgetDomain separates answers to it from all other signed objects.
const BudgetDomain = "parallax/budget/v1"

// MaxBudgetBatches bounds the batches that one question names.
const MaxBudgetBatches = 1024

// A BudgetRequest asks a holder what is left today of the sender's own budgets
// and which of these batches it has charged already. It changes nothing.
type BudgetRequest struct {
	Batches []opening.Hash `json:"batches"` // digests of signed batch manifests
	Nonce   opening.Hash   `json:"nonce"`
}

// A BudgetAnswer tells a member about itself and about nobody else. It says how
// things stand; the holder decides again when a batch comes.
type BudgetAnswer struct {
	Organisation string        `json:"organisation"`
	Index        int           `json:"index"` // of the holder
	Day          string        `json:"day"`   // UTC date
	Classes      []ClassBudget `json:"classes"`
	Charged      []bool        `json:"charged"` // for each batch of the question
	Nonce        opening.Hash  `json:"nonce"`
}

// A ClassBudget is one class's points of a day.
type ClassBudget struct {
	Class selector.Class `json:"class"`
	Daily int            `json:"daily"`
	Left  int            `json:"left"`
}

// Left gives what is left of a class, 0 where the manifest does not admit it.
func (a BudgetAnswer) Left(class selector.Class) int {
	for _, c := range a.Classes {
		if c.Class == class {
			return c.Left
		}
	}
	return 0
}

// Budgets asks every holder at once and gives the answers that verify; the
// error says why the others are missing.
func (m Member) Budgets(ctx context.Context, batches []opening.Hash) ([]BudgetAnswer, error) {
	if len(batches) > MaxBudgetBatches {
		return nil, fmt.Errorf("%d batches in one question, at most %d", len(batches), MaxBudgetBatches)
	}
	req := BudgetRequest{Batches: append([]opening.Hash{}, batches...)}
	if _, err := io.ReadFull(m.Random, req.Nonce[:]); err != nil {
		return nil, err
	}
	answers, failed := make([]BudgetAnswer, len(m.Manifest.Holders)), make([]error, len(m.Manifest.Holders))
	var wg sync.WaitGroup
	for i, h := range m.Manifest.Holders {
		wg.Go(func() {
			if answers[i], failed[i] = m.budget(ctx, h, req); failed[i] != nil {
				failed[i] = fmt.Errorf("key holder %s: %w", h.ID, failed[i])
			}
		})
	}
	wg.Wait()
	var out []BudgetAnswer
	for i, err := range failed {
		if err == nil {
			out = append(out, answers[i])
		}
	}
	return out, errors.Join(failed...)
}

func (m Member) budget(ctx context.Context, h opening.Holder, req BudgetRequest) (BudgetAnswer, error) {
	var o signed.Object
	if err := m.Call(ctx, h.ID, h.URL, PathBudget, req, &o); err != nil {
		return BudgetAnswer{}, err
	}
	var a BudgetAnswer
	if err := o.Open(BudgetDomain, h.Key, &a); err != nil {
		return BudgetAnswer{}, fmt.Errorf("budget: %w", err)
	}
	if a.Organisation != m.Sender || a.Index != h.Index || a.Nonce != req.Nonce || len(a.Charged) != len(req.Batches) {
		return BudgetAnswer{}, errors.New("the answer is to another question")
	}
	return a, nil
}
