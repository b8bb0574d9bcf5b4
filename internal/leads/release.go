package leads

import (
	"context"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
)

// A noteRow goes back to one contributor.
type noteRow struct {
	ID, Opening, Org, Ticket string
	Signed                   signed.Object
	Earliest                 int64 // UTC microseconds
	Due                      int64 // seconds since 1970; 0: its step is not in the witnessed log yet
}

// takeNotes keeps what a release sends back: to each contributor of the
// opening at most one note, about its own observations, under its own lawful
// route.
func (s *Service) takeNotes(ctx context.Context, tx *store.Tx, m opening.Manifest, id string, items map[seal.Label]string, h opening.Handling, ticket string, notes []signed.Object) error {
	wrong := func(text string) error { return fault.New(fault.Invalid, "The release was refused: "+text+".") }
	if len(notes) != len(h.Notes) {
		return wrong("it brings other notes than it lists")
	}
	told := make(map[string]bool)
	for i, x := range notes {
		n, err := opening.OpenNote(m, x)
		switch {
		case err != nil:
			return fault.Wrap(fault.Invalid, "The release was refused: "+err.Error()+".", err)
		case opening.Digest(x.Body) != h.Notes[i] || n.Author != h.Author || n.Outcome != h.Word:
			return wrong("a note is not the one that it lists, or names another outcome")
		case told[n.To]:
			return wrong("a contributor gets one note of an opening")
		case !client.NoteFits(x):
			return wrong("a note is too long")
		case n.Earliest > s.clock.Now().Add(opening.MaxOutcomeDelay).UnixMicro():
			return wrong("a note waits for more than a year")
		case !slices.ContainsFunc(n.Labels, func(l seal.Label) bool { return items[l] == n.To }) || slices.ContainsFunc(n.Labels, func(l seal.Label) bool { return items[l] != n.To }):
			return wrong("a note speaks of an observation that is not the contributor's, or not of this opening")
		}
		told[n.To] = true
		if err := s.mayTell(ctx, tx, h, n, h.Notes[i]); err != nil {
			return err
		}
		row := noteRow{Opening: id, Org: n.To, Ticket: ticket, Signed: x, Earliest: n.Earliest}
		if row.ID, err = s.newID(); err != nil {
			return err
		}
		if err := insertNote(ctx, tx, row); err != nil {
			return err
		}
	}
	return nil
}

// Contributors is the recipient that a gateway decision names where it allows to
// tell every contributor of an opening.
const Contributors = "contributors"

// mayTell asks for the one contributor, then for contributors as such: a decision
// names either.
func (s *Service) mayTell(ctx context.Context, tx *store.Tx, h opening.Handling, n opening.Note, digest opening.Hash) error {
	f := Flow{Kind: FlowRelease, Gateway: n.Gateway, To: n.To, By: h.Author, Ref: digest.String(), Provenance: h.Provenance}
	_, err := s.mayFlow(ctx, tx, f)
	if fault.Is(err, fault.Forbidden) {
		f.To = Contributors
		_, err = s.mayFlow(ctx, tx, f)
	}
	return err
}

// owners says whose the observations of an opening are that nobody withdrew.
func (s *Service) owners(ctx context.Context, id string) (map[seal.Label]string, error) {
	var r opening.Request
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		o, err := readOpening(ctx, tx, id)
		if err != nil {
			return err
		}
		return signed.Unmarshal(o.Request.Body, &r)
	})
	if err != nil {
		return nil, err
	}
	items, err := s.pool.Items(ctx, r.Labels)
	if err != nil {
		return nil, err
	}
	out := make(map[seal.Label]string, len(items))
	for _, it := range items {
		if !it.Live {
			continue // withdrawn since: nothing goes back about it
		}
		h, err := opening.DecodeHeader(it.Observation.Header)
		if err != nil {
			return nil, err
		}
		out[it.Label] = h.Organisation
	}
	return out, nil
}

// place gives notes whose release is in the witnessed log their release time:
// the first at which they may be shown and their contributor's digest has room.
// It is asked at every tick and never gives a time that has begun, also where
// the clock was set back: a member that has asked up to then would miss it.
func (s *Service) place(ctx context.Context, m opening.Manifest) error {
	var waiting []noteRow
	now := s.clock.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		seen, err := latest(ctx, tx)
		if err != nil {
			return err
		}
		if seen > now.Unix() {
			now = time.Unix(seen, 0)
		} else if err := saveLatest(ctx, tx, now.Unix()); err != nil {
			return err
		}
		waiting, err = unplacedNotes(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range waiting {
		ok, err := s.log.Logged(ctx, n.Ticket)
		if err != nil {
			return err
		}
		if ok {
			if err := s.placeOne(ctx, m, n, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) placeOne(ctx context.Context, m opening.Manifest, n noteRow, now time.Time) error {
	at := now.Add(time.Second)
	if e := time.UnixMicro(n.Earliest); e.After(at) {
		at = e
	}
	due := opening.NextRelease(m.Delays, at).Unix()
	return s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for ; ; due += m.Delays.ReleaseEvery {
			full, err := notesAt(ctx, tx, n.Org, due)
			if err != nil {
				return err
			}
			if full < client.MaxNotes {
				return setDue(ctx, tx, n.ID, due)
			}
		}
	})
}

// Outcomes is the digest of a member: what was released to it after a time, up
// to the last release time. Whoever asks gets as many bytes, and the question
// touches the asking member's own rows only.
func (s *Service) Outcomes(ctx context.Context, m opening.Manifest, of scope.Scope, req client.OutcomesRequest) (client.Outcomes, error) {
	if req.After < 0 {
		return client.Outcomes{}, fault.New(fault.Invalid, "The time to ask after is not negative.")
	}
	var out client.Outcomes
	var rows []noteRow
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		seen, err := latest(ctx, tx)
		if err != nil {
			return err
		}
		every := m.Delays.ReleaseEvery
		out.Through = min(seen, s.clock.Now().Unix()) / every * every
		rows, err = notesOf(ctx, tx, of.Organisation(), req.After, out.Through, client.MaxNotes+1)
		return err
	})
	if err != nil {
		return client.Outcomes{}, err
	}
	if len(rows) > client.MaxNotes { // whole release times only
		last := rows[client.MaxNotes].Due
		rows = slices.DeleteFunc(rows, func(r noteRow) bool { return r.Due == last })
		out.Through = rows[len(rows)-1].Due
	}
	list := make([]signed.Object, len(rows))
	for i, r := range rows {
		list[i] = r.Signed
	}
	out.Notes, err = client.PackNotes(list)
	return out, err
}
