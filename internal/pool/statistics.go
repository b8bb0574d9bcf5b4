package pool

import (
	"errors"
	"fmt"
	"regexp"

	"parallax/opening"
	"parallax/oprf"
	"parallax/signed"
)

// Bounds of the statistics part of an observation.
const (
	MaxStatistics = 16 << 10 // bytes
	MaxEdges      = 32
	maxVenues     = 16
)

// Statistics is the part of an observation that only the hub gets: venues and
// value edges between tags, in coarse bands. The header binds it by digest.
type Statistics struct {
	Venues []string `json:"venues"`
	Edges  []Edge   `json:"edges"`
}

// An Edge is a directed relation from one of the observation's own tags. Its
// far end never links and never counts.
type Edge struct {
	From  oprf.Tag `json:"from"`
	To    oprf.Tag `json:"to"`
	Type  string   `json:"type"`
	Venue string   `json:"venue"`
	Band  string   `json:"band"` // coarse amount band
	Week  string   `json:"week"` // ISO week
}

var (
	wordForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,39}$`)
	weekForm = regexp.MustCompile(`^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$`)
)

// checkStatistics admits canonical JSON under a closed grammar and nothing
// else, so that neither free text nor a file of any kind can ride along.
func checkStatistics(raw []byte, h opening.Header) error {
	if len(raw) == 0 {
		if h.Statistics != (opening.Hash{}) {
			return errors.New("the header names a statistics part that is not there")
		}
		return nil
	}
	if len(raw) > MaxStatistics {
		return fmt.Errorf("the statistics part has %d bytes, at most %d are allowed", len(raw), MaxStatistics)
	}
	if opening.Digest(raw) != h.Statistics {
		return errors.New("the statistics part is not the one that the header names")
	}
	var s Statistics
	if err := signed.Unmarshal(raw, &s); err != nil {
		return errors.New("the statistics part is not in its one canonical form")
	}
	if h.Role == opening.RolePossibleVictim && len(s.Edges) > 0 {
		return errors.New("edges are not taken where the subject may be a victim")
	}
	return s.check(h)
}

func (s Statistics) check(h opening.Header) error {
	if len(s.Venues) > maxVenues || len(s.Edges) > MaxEdges {
		return fmt.Errorf("the statistics part has %d venues and %d edges, at most %d and %d are allowed", len(s.Venues), len(s.Edges), maxVenues, MaxEdges)
	}
	for _, v := range s.Venues {
		if !wordForm.MatchString(v) {
			return errors.New("a venue in the statistics part is not a listed word")
		}
	}
	own := make(map[oprf.Tag]bool, len(h.Tags))
	for _, t := range h.Tags {
		own[t.Tag()] = true
	}
	for i, e := range s.Edges {
		switch {
		case !own[e.From]:
			return fmt.Errorf("edge %d does not start at one of the observation's own tags", i+1)
		case !wordForm.MatchString(e.Type) || !weekForm.MatchString(e.Week):
			return fmt.Errorf("edge %d has a type or a week that is not in form", i+1)
		case e.Venue != "" && !wordForm.MatchString(e.Venue), e.Band != "" && !wordForm.MatchString(e.Band):
			return fmt.Errorf("edge %d has a venue or a band that is not in form", i+1)
		}
	}
	return nil
}
