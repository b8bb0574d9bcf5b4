package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sort"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

// How long a tag lasts, in months. Phone numbers change hands sooner.
const (
	tagMonths   = 12
	phoneMonths = 6
)

// maxPayload is the largest sealed payload, in bytes.
const maxPayload = seal.MaxPayload

// A Payload is what the authority reads of an opened observation: a reference
// and the least that helps a decision.
type Payload struct {
	Org       string `json:"org"`
	Reference string `json:"reference"`
	Role      string `json:"role"`
	Grade     string `json:"grade"`
	Kind      string `json:"kind"`
	Strength  int    `json:"strength"`
	Date      string `json:"date"`
	Note      string `json:"note"`
	// SMR travels with the material: whether it stems from a report of suspicion
	// ("yes", "no", "" for not known). Such material is never evidence.
	SMR       string            `json:"smr,omitempty"`
	Selectors []PayloadSelector `json:"selectors"`
}

// A PayloadSelector is one selector of the row.
type PayloadSelector struct {
	Class selector.Class `json:"class"`
	Form  string         `json:"form"`
	Value string         `json:"value"`
}

// payload says what rec puts before the authority; a possible victim's
// selectors and note stay at the desk.
func payload(org string, rec Record) Payload {
	p := Payload{Org: org, Reference: rec.Reference, Role: rec.Role, Grade: rec.Source + rec.Info, Kind: rec.Kind,
		Strength: rec.Strength, Date: rec.Date, Note: rec.Note, SMR: rec.SMR, Selectors: []PayloadSelector{}}
	if rec.Role == opening.RolePossibleVictim {
		p.Note = ""
		return p
	}
	for _, s := range rec.Selectors {
		p.Selectors = append(p.Selectors, PayloadSelector{s.Class, s.Form, s.Value})
	}
	return p
}

// bounded encodes p, leaving out its last selectors where it would not fit the
// largest box: the own record behind the reference has them all.
func (p Payload) bounded() ([]byte, error) {
	for {
		raw, err := signed.Marshal(p)
		if err != nil || len(raw) <= maxPayload || len(p.Selectors) == 0 {
			return raw, err
		}
		p.Selectors = p.Selectors[:len(p.Selectors)-1]
	}
}

// header is everything of rec that hub and holders see, except tags.
func (d *Desk) header(m opening.Manifest, rec Record, salt []byte) (opening.Header, error) {
	w, err := week(rec.Date)
	if err != nil {
		return opening.Header{}, err
	}
	me, _ := m.Member(d.who.ID)
	raw, err := signed.Marshal(rec)
	if err != nil {
		return opening.Header{}, err
	}
	h := opening.Header{Version: opening.HeaderVersion, Pool: m.Pool, Epoch: m.Epoch, Organisation: d.who.ID, Sector: me.Sector,
		Origin: rec.Origin, Role: rec.Role, Source: rec.Source, Info: rec.Info, Strength: rec.Strength, Kind: rec.Kind,
		Week: w, Rule: m.CurrentRule, Manifest: m.Version,
		Evidence: sha256.Sum256(fmt.Appendf(nil, "parallax/evidence/v1\x00%s%s", salt, raw))}
	_, err = io.ReadFull(d.random, h.Nonce[:])
	return h, err
}

// expires is when a tag made now ends: never later than its epoch's keys.
func expires(m opening.Manifest, class selector.Class, now time.Time) int64 {
	months := tagMonths
	if class == selector.Phone {
		months = phoneMonths
	}
	end := now.UTC().Truncate(24*time.Hour).AddDate(0, months, 0).UnixMicro()
	if m.KeysEnd > 0 {
		end = min(end, m.KeysEnd)
	}
	return end
}

// example shows one observation as it would be submitted.
func (d *Desk) example(m opening.Manifest, rec Record) (*Example, error) {
	h, err := d.header(m, rec, make([]byte, 32))
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, s := range rec.Selectors {
		tags = append(tags, fmt.Sprintf("%s (%s form), blinded, until %s", s.Class.Label(), s.Form,
			time.UnixMicro(expires(m, s.Class, d.clock.Now())).UTC().Format(time.DateOnly)))
	}
	out := &Example{Line: rec.Line, Payload: payload(d.who.ID, rec), Pool: map[string]any{"tags": tags,
		"organisation": h.Organisation, "sector": h.Sector, "origin": h.Origin, "role": h.Role, "grade": h.Source + h.Info,
		"strength": h.Strength, "kind": h.Kind, "week": h.Week}}
	if s, err := statistics(rec); err != nil || len(s) > 0 {
		out.Pool["venue"] = rec.Venue
		return out, err
	}
	return out, nil
}

// statistics is what the hub alone gets of a record beside its header: the venue.
// There is none where the subject may be a victim.
func statistics(rec Record) ([]byte, error) {
	if rec.Venue == "" || rec.Role == opening.RolePossibleVictim {
		return nil, nil
	}
	return signed.Marshal(opening.Statistics{Venues: []string{rec.Venue}, Edges: []opening.Edge{}})
}

// sealedRow is one observation ready to be contributed.
type sealedRow struct {
	row     []byte
	own     OwnRecord
	tags    []oprf.Tag
	content client.Contributed
}

func (d *Desk) sealRow(m client.Member, rec Record, tokens map[string]oprf.Possession) (sealedRow, error) {
	now := d.clock.Now()
	salt := make([]byte, 32)
	if _, err := io.ReadFull(d.random, salt); err != nil {
		return sealedRow{}, err
	}
	h, err := d.header(m.Manifest, rec, salt)
	if err != nil {
		return sealedRow{}, err
	}
	raw, err := payload(d.who.ID, rec).bounded()
	if err != nil {
		return sealedRow{}, err
	}
	draft := client.Draft{Header: h, Payload: raw}
	if draft.Statistics, err = statistics(rec); err != nil {
		return sealedRow{}, err
	}
	var out sealedRow
	for _, s := range rec.Selectors {
		p, ok := tokens[string(s.Input())]
		if !ok {
			return out, invalid("line %d: the file changed while it was submitted; run the same command again", rec.Line)
		}
		draft.Possessions = append(draft.Possessions, client.TagDraft{Class: s.Class, Possession: p, Expires: expires(m.Manifest, s.Class, now)})
		out.tags = append(out.tags, p.Tag())
	}
	var label seal.Label
	if out.content, label, err = m.Seal(draft); err != nil {
		return out, fmt.Errorf("line %d: %w", rec.Line, err)
	}
	out.own = OwnRecord{Record: rec, Label: label, Salt: salt, Time: now.UnixMicro()}
	out.row, err = d.rowID(rec)
	return out, err
}

// contribute streams the file again and sends the new rows in contributions
// of at most 256, each kept on disk before it is sent.
func (d *Desk) contribute(ctx context.Context, m client.Member, p Plan, tokens map[string]oprf.Possession, progress Progress, res *Result) error {
	var batch []sealedRow
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := d.keepAndSend(ctx, m, batch); err != nil {
			return err
		}
		res.Contributions++
		res.Observations += len(batch)
		progress("observations", res.Observations, p.Observations)
		batch = batch[:0]
		return nil
	}
	seen := make(map[string]bool)
	err := eachReading(p.in, p.mapping, d.clock.Now(), func(r Reading) error {
		rec, why := admit(m.Manifest, r)
		if why != "" {
			return nil
		}
		id, err := d.rowID(rec)
		if err != nil || seen[string(id)] {
			return err
		}
		seen[string(id)] = true
		if done, err := d.records.hasRow(ctx, id); err != nil || done {
			return err
		}
		x, err := d.sealRow(m, rec, tokens)
		if err != nil {
			return err
		}
		if batch = append(batch, x); len(batch) == maxObservations {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// keepAndSend sorts by label, so that nothing shows the order of the file.
func (d *Desk) keepAndSend(ctx context.Context, m client.Member, batch []sealedRow) error {
	sort.Slice(batch, func(i, j int) bool { return bytes.Compare(batch[i].own.Label[:], batch[j].own.Label[:]) < 0 })
	list := make([]client.Contributed, len(batch))
	for i, x := range batch {
		list[i] = x.content
	}
	req, err := m.Sign(list)
	if err != nil {
		return err
	}
	id := d.records.v.key("contribution", req.Root[:])
	sealed, err := d.records.encode("request", id, req)
	if err != nil {
		return err
	}
	err = d.records.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO desk_contribution (id, made, request) VALUES ($1, $2, $3)`,
			id, d.clock.Now().UnixMicro(), sealed); err != nil {
			return err
		}
		for _, x := range batch {
			if err := d.keepRow(ctx, tx, id, x); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.send(ctx, m, id, req)
}

func (d *Desk) keepRow(ctx context.Context, tx *store.Tx, contribution []byte, x sealedRow) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO desk_row (id, contribution) VALUES ($1, $2)`, x.row, contribution); err != nil {
		return err
	}
	for _, t := range x.tags {
		if err := d.records.keepOwn(ctx, tx, "tag", t[:], x.own); err != nil {
			return err
		}
	}
	return d.records.keepOwn(ctx, tx, "reference", []byte(x.own.Record.Reference), x.own)
}
