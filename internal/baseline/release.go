package baseline

import (
	"context"
	"slices"
	"time"

	"parallax/estimate"
	"parallax/internal/acts"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/signed"
)

// ReleaseDomain is what the hub signs releases under.
const ReleaseDomain = "parallax/baseline-release/v1"

// ReleaseEvery is how long a class's next release waits. Two windows in short
// succession would show who came between.
const ReleaseEvery = 365 * 24 * time.Hour

// A Statement is what is published of a run: a range or a refusal, never one
// number, and no overlap.
type Statement struct {
	Run        string       `json:"run"`
	Pool       string       `json:"pool"`
	Class      string       `json:"class"`
	Quarter    string       `json:"quarter"`
	Definition string       `json:"definition"`
	Population string       `json:"population"`
	Verdict    string       `json:"verdict"`
	Headline   string       `json:"headline"`
	Range      []float64    `json:"range"` // two figures, rounded outward; empty where refused
	AtLeast    int          `json:"at_least"`
	Lists      int          `json:"lists"`
	Panel      []Row        `json:"panel"`
	Failed     []Gate       `json:"failed_gates"`
	Caveats    []string     `json:"caveats"`
	Audit      *AuditShown  `json:"audit"`
	Input      opening.Hash `json:"input"`
	Seed       uint64       `json:"seed"`
	Act        opening.Hash `json:"act"` // that two people signed
	Time       int64        `json:"time"`
}

// A Release is a statement as the hub signed it, with its place in the log.
type Release struct {
	ID        string        `json:"id"`
	Statement Statement     `json:"statement"`
	Object    signed.Object `json:"object"`
	Ticket    string        `json:"ticket"`
	Made      time.Time     `json:"made"`
}

// statement says of a run what may be published. Rows of single pairs and those
// outside the range stay inside.
func (r Run) statement(poolID string, act opening.Hash, now time.Time) Statement {
	s := Statement{Run: r.ID, Pool: poolID, Class: r.Class, Quarter: r.Quarter, Definition: r.Definition, Population: r.population(), Verdict: r.Verdict,
		Headline: r.Headline, Range: []float64{}, AtLeast: r.Seen, Lists: len(r.Lists), Panel: []Row{}, Failed: []Gate{},
		Caveats: r.caveats(), Audit: r.Audit, Input: r.Input, Seed: r.Seed, Act: act, Time: now.UnixMicro()}
	for _, g := range r.Gates {
		if !g.Passed {
			s.Failed = append(s.Failed, Gate{Name: g.Name, Detail: gateWords[g.Name]})
		}
	}
	if r.Verdict == estimate.Refuse {
		return s
	}
	s.Range = r.Range
	for _, p := range r.Panel {
		if p.Name != "chapman" {
			s.Panel = append(s.Panel, p)
		}
	}
	return s
}

// gateWords says what a gate asks, without the figures that it looked at.
var gateWords = map[string]string{
	"untouched":            "counts without noise",
	"lists":                "at least three lists with own detections",
	"overlap":              "every list shares selectors with another",
	"triples":              "some selectors stand on three lists",
	"repeats":              "at least 30 selectors stand on two lists",
	"linkage_audit":        "a check of links younger than a year, with a lower limit of 0.7",
	"internal_consistency": "the known size of most lists is met within half by the others",
	"existence":            "every reported model has one estimate",
	"panel":                "at least two methods give an estimate",
	"agreement":            "the highest estimate is at most three times the lowest",
}

func (r Run) population() string {
	return "Selectors of class " + r.Class + " on which at least one list had own, confirmed suspicions in " + r.Quarter +
		". Not offenders, and not victims: one person may have several, and several one."
}

// caveats go with every published estimate: what package estimate warns of, how
// often the gates pass while every interval misses among it, and the critics.
func (r Run) caveats() []string {
	return append(slices.Clone(r.Warnings),
		"Critics hold that hidden populations of this kind cannot be estimated from such lists at all (Whitehead and others); Stransky and Finkelhor wrote of an earlier figure: do not cite these numbers.")
}

func (s *Service) checkRelease(ctx context.Context, _ opening.Manifest, raw []byte) error {
	var a opening.ReleaseAct
	if err := signed.Unmarshal(raw, &a); err != nil {
		return invalid(err)
	}
	_, err := s.releasable(ctx, a)
	return err
}

// releasable is the run that an act would publish. The act names the table by
// its digest and repeats the headline, so that who signs has seen the figures.
func (s *Service) releasable(ctx context.Context, a opening.ReleaseAct) (r Run, err error) {
	now := s.clock.Now()
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var ok bool
		if r, ok, err = readRun(ctx, tx, a.Run); err != nil {
			return err
		}
		if !ok || r.Input != a.Input || r.Headline != a.Headline {
			return fault.New(fault.Conflict, "The release does not repeat a run as it stands. Propose it from the run's page.")
		}
		had, err := releaseOf(ctx, tx, r.ID)
		if err != nil || len(had) > 0 {
			return orConflict(err, "This run was released before. A release is never changed or repeated.")
		}
		last, err := lastRelease(ctx, tx, r.Class)
		if err != nil {
			return err
		}
		if len(last) > 0 && now.Sub(last[0].Made) < ReleaseEvery {
			return fault.Newf(fault.Conflict, "Class %s was released on %s. The next release waits a year, so that two releases do not show who came between.", r.Class, last[0].Made.UTC().Format(time.DateOnly))
		}
		return nil
	})
	return r, err
}

// release publishes a run: signed by the hub, in the log, once.
func (s *Service) release(ctx context.Context, p acts.Permit, act acts.Act) error {
	var a opening.ReleaseAct
	if _, err := acts.Verify(ctx, s.log, p, opening.ActRelease, &a); err != nil {
		return err
	}
	if done, err := s.releasedBy(ctx, act.ID, a.Run); err != nil || done {
		return err
	}
	r, err := s.releasable(ctx, a)
	if err != nil {
		return err
	}
	out := Release{ID: act.ID, Statement: r.statement(p.Manifest.Pool, act.Digest, s.clock.Now()), Made: s.clock.Now()}
	if out.Object, err = s.sign(ReleaseDomain, out.Statement); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if out.Ticket, _, err = s.log.Append(ctx, tx, "release", out.Object.Body); err != nil {
			return err
		}
		return insertRelease(ctx, tx, out)
	})
}

// releasedBy reports that this act was given effect to before.
func (s *Service) releasedBy(ctx context.Context, act, run string) (done bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		had, err := releaseOf(ctx, tx, run)
		done = len(had) > 0 && had[0].ID == act
		return err
	})
	return done, err
}

// Releases lists what was published, newest first.
func (s *Service) Releases(ctx context.Context) (out []Release, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listReleases(ctx, tx)
		return err
	})
	return out, err
}

// Audits lists the checks of links, newest first.
func (s *Service) Audits(ctx context.Context) (out []opening.AuditAct, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		out, err = listAudits(ctx, tx)
		return err
	})
	return out, err
}
