package demo

import (
	"context"
	"fmt"
	"path/filepath"

	"parallax/internal/desk"
	"parallax/internal/sim"
)

// fed is what the desks sent, as they reported it.
type fed struct {
	Organisations int
	Observations  int
	Contributions int
	Selectors     int // distinct forms at each desk, summed over the desks
}

type submitted struct {
	Plan   desk.Plan   `json:"plan"`
	Result desk.Result `json:"result"`
}

// feed submits every organisation's export through its own desk.
func (s *stage) feed(ctx context.Context) (fed, error) {
	orgs := contributors()
	got := make([]submitted, len(orgs))
	var jobs []func(context.Context) error
	for i, o := range orgs {
		if len(s.data.Rows[o.ID]) == 0 {
			continue
		}
		jobs = append(jobs, func(ctx context.Context) error {
			return s.deskJSON(ctx, o.ID, &got[i], "submit", s.export(o), "--mapping", s.mapping(o.ID), "--basis", basisID, "--yes", "--json")
		})
	}
	var sum fed
	if err := together(ctx, jobs...); err != nil {
		return sum, err
	}
	for _, x := range got {
		if x.Result.Observations > 0 {
			sum.Organisations++
		}
		sum.Observations += x.Result.Observations
		sum.Contributions += x.Result.Contributions
		for _, c := range x.Plan.Classes {
			sum.Selectors += c.Selectors
		}
	}
	if sum.Observations == 0 {
		return sum, fmt.Errorf("the simulated organisations noticed nothing; take more --actors")
	}
	return sum, nil
}

func (s *stage) export(o sim.Organisation) string { return s.path("world", sim.ExportFile(o)) }

func (s *stage) mapping(id string) string {
	return s.path("world", sim.MappingDir, id+".json")
}

// receipts asks each desk to fetch and verify the proof of every contribution,
// and gives the files.
func (s *stage) receipts(ctx context.Context) ([]string, error) {
	orgs := contributors()
	files := make([][]string, len(orgs))
	var jobs []func(context.Context) error
	for i, o := range orgs {
		jobs = append(jobs, func(ctx context.Context) error {
			dir := s.path("receipts", o.ID)
			if _, err := s.desk(ctx, o.ID, "receipts", "--out", dir); err != nil {
				return fmt.Errorf("%s: %w", title(o.ID), err)
			}
			var err error
			files[i], err = filepath.Glob(filepath.Join(dir, "receipt-*.json"))
			return err
		})
	}
	if err := together(ctx, jobs...); err != nil {
		return nil, err
	}
	var all []string
	for _, f := range files {
		all = append(all, f...)
	}
	return all, nil
}
