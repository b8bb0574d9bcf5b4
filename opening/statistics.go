package opening

import (
	"errors"
	"fmt"
	"regexp"

	"parallax/oprf"
	"parallax/signed"
)

// Bounds of the statistics part of an observation.
const (
	MaxStatistics = 16 << 10 // bytes
	MaxEdges      = 32
	maxVenues     = 16
	maxCount      = 1 << 20
)

// Statistics is the part of an observation that only the hub gets: venues and
// value edges between tags, in coarse bands. The header binds it by digest.
type Statistics struct {
	Venues []string `json:"venues"`
	Edges  []Edge   `json:"edges"`
}

// An Edge is a directed relation from one of the observation's own tags to a
// counterparty's. The far end never links and never counts towards an opening,
// and it ends with the tag that it starts at or before.
type Edge struct {
	From    oprf.Tag `json:"from"`
	To      oprf.Tag `json:"to"`
	Type    string   `json:"type"`
	Venue   string   `json:"venue"` // may be empty
	Band    string   `json:"band"`  // coarse amount band, may be empty
	Count   int      `json:"count"` // events behind the edge, at least 1
	First   string   `json:"first"` // ISO week of the first event
	Last    string   `json:"last"`  // ISO week of the last event
	Expires int64    `json:"expires"`
}

// What hub and holders read holds listed words and weeks, never free text: a
// closed grammar in which neither a sentence nor a file can ride along.
var (
	wordForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,39}$`)
	weekForm   = regexp.MustCompile(`^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$`)
	originForm = regexp.MustCompile(`^(own|referred:[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$`)
)

// IsWord reports a word that a header or a statistics part may hold: at most 40
// lower-case letters, digits, dots, underscores and hyphens.
func IsWord(s string) bool { return wordForm.MatchString(s) }

// IsOrigin reports "own", or "referred:" with an organisation's id.
func IsOrigin(s string) bool { return originForm.MatchString(s) }

// ReadStatistics verifies the statistics part against the header that binds it
// and decodes it. No part is the zero value.
func ReadStatistics(raw []byte, h Header) (Statistics, error) {
	if len(raw) == 0 {
		if h.Statistics != (Hash{}) {
			return Statistics{}, errors.New("the header names a statistics part that is not there")
		}
		return Statistics{}, nil
	}
	if h.Role == RolePossibleVictim {
		return Statistics{}, errors.New("no statistics part is taken where the subject may be a victim")
	}
	if len(raw) > MaxStatistics {
		return Statistics{}, fmt.Errorf("the statistics part has %d bytes, at most %d are allowed", len(raw), MaxStatistics)
	}
	if Digest(raw) != h.Statistics {
		return Statistics{}, errors.New("the statistics part is not the one that the header names")
	}
	var s Statistics
	if err := signed.Unmarshal(raw, &s); err != nil {
		return Statistics{}, errors.New("the statistics part is not in its one canonical form")
	}
	return s, s.Check(h)
}

// Check refuses what is outside the grammar or starts at another's tag.
func (s Statistics) Check(h Header) error {
	if len(s.Venues) > maxVenues || len(s.Edges) > MaxEdges {
		return fmt.Errorf("the statistics part has %d venues and %d edges, at most %d and %d are allowed", len(s.Venues), len(s.Edges), maxVenues, MaxEdges)
	}
	for _, v := range s.Venues {
		if !wordForm.MatchString(v) {
			return errors.New("a venue in the statistics part is not a listed word")
		}
	}
	own := make(map[oprf.Tag]int64, len(h.Tags)) // with expiry
	for _, t := range h.Tags {
		own[t.Tag()] = t.Expires
	}
	for i, e := range s.Edges {
		if err := e.check(own); err != nil {
			return fmt.Errorf("edge %d %w", i+1, err)
		}
	}
	return nil
}

func (e Edge) check(own map[oprf.Tag]int64) error {
	until, ok := own[e.From]
	switch {
	case !ok:
		return errors.New("does not start at one of the observation's own tags")
	case e.To == e.From:
		return errors.New("leads to where it starts")
	case !wordForm.MatchString(e.Type) || !weekForm.MatchString(e.First) || !weekForm.MatchString(e.Last) || e.Last < e.First:
		return errors.New("has a type or weeks that are not in form")
	case e.Venue != "" && !wordForm.MatchString(e.Venue), e.Band != "" && !wordForm.MatchString(e.Band):
		return errors.New("has a venue or a band that is not in form")
	case e.Count < 1 || e.Count > maxCount:
		return fmt.Errorf("counts %d events, want 1 to %d", e.Count, maxCount)
	case e.Expires <= 0 || e.Expires > until:
		return errors.New("outlives the tag that it starts at")
	}
	return nil
}
