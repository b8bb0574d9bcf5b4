package demo

import (
	"context"
	"time"

	"parallax/internal/desk"
	"parallax/opening"
	"parallax/selector"
)

// How far before the demonstration's first day the intervention is said to have
// acted: long enough for every evaluation.
const actedBefore = 20 * 7 * 24 * time.Hour

// statistics has the authority propose a count of the newest quarter that is
// over, and two interventions: one that lies in the past and says so, one that is
// still to come. Both bodies approve at their desks, and what is shown is what
// the pool then counts.
func (s *stage) statistics(ctx context.Context) error {
	now := s.clock.Now()
	from, _, err := opening.QuarterOf(now).Span()
	if err != nil {
		return err
	}
	count := opening.CaptureAct{Class: selector.Email, Quarter: opening.QuarterOf(from.AddDate(0, 0, -7))}
	for _, o := range contributors() {
		count.Lists = append(count.Lists, opening.ActList{Name: o.ID, Organisations: []string{o.ID}})
	}
	past := opening.InterventionAct{Class: selector.Username, Venue: "v02", Date: now.Add(-actedBefore).Format(time.DateOnly), Neighbours: []string{"v01"},
		Controls: []string{"v03", "v04"}, Weeks: 13, Retrospective: true, See: []string{"programme-lead", "lead-reviewer", "oversight-board"}}
	next := past
	next.Venue, next.Controls, next.Retrospective, next.Date = "v03", []string{"v02", "v04"}, false, now.AddDate(0, 0, 21).Format(time.DateOnly)
	if err := s.sightings(ctx, past); err != nil {
		return err
	}
	for _, act := range []struct {
		kind string
		body any
	}{{opening.ActCapture, count}, {opening.ActIntervention, past}, {opening.ActIntervention, next}} {
		if err := s.act(ctx, act.kind, act.body); err != nil {
			return err
		}
	}
	// One tick puts the acts into the log; at the next they take effect.
	if err := s.advance(ctx, tick); err != nil {
		return err
	}
	return s.advance(ctx, tick)
}

// act proposes an act at the authority's desk and approves it there and at the
// oversight body's.
func (s *stage) act(ctx context.Context, kind string, body any) error {
	file, err := s.write("act-"+kind+".json", body)
	if err != nil {
		return err
	}
	var a desk.Act
	if err := s.deskJSON(ctx, authorityID, &a, "acts", "propose", kind, file, "--json"); err != nil {
		return err
	}
	for _, who := range []string{authorityID, overseerID} {
		if _, err := s.desk(ctx, who, "acts", "approve", a.ID); err != nil {
			return err
		}
	}
	return nil
}
