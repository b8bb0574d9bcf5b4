package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/store"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
)

// Proofs are the ways in which a person may have shown that an identifier is
// theirs. A person at this desk did the check; here it is recorded.
var Proofs = []string{"code-sent", "signed-in", "in-person", "by-counsel"}

// SubjectRequest is what a person asked, as the one who took it down says.
type SubjectRequest struct {
	Class   selector.Class
	Value   string
	Country string // of a phone number
	Proof   string // one of Proofs
	Checked string // the role of who checked it
}

// A Finding is what goes to the authority, and to counsel, of a request.
type Finding struct {
	Number  string              `json:"number"`
	Org     string              `json:"org"`
	Time    int64               `json:"time"`
	Proof   string              `json:"proof"`
	Checked string              `json:"checked"`
	Asked   []selector.Selector `json:"asked"`
	Held    int                 `json:"held"` // own observations with the identifier
	// Labels and References are as many of them as there is room for.
	Labels     []seal.Label `json:"labels"`
	References []string     `json:"references"`
}

// A SubjectAnswer is what the person is told. It depends on nothing but the
// number and the day.
type SubjectAnswer struct {
	Number string `json:"number"`
	Text   string `json:"text"`
}

func subjectAnswer(number string, at time.Time) SubjectAnswer {
	return SubjectAnswer{number, fmt.Sprintf("Your request %s of %s was taken down. It goes to the authority and to counsel. They freeze what is concerned within 24 hours and decide within 30 days. "+
		"Nobody at this organisation can tell you whether anything is held about you, and the answer is the same for everybody. If you disagree, ask the data protection authority.", number, at.UTC().Format("2 January 2006"))}
}

// Subject takes a request down: it looks through all own records, seals what it
// finds to the authority, whether or not it finds anything, keeps that and
// sends it. Work, message and answer are the same either way.
func (d *Desk) Subject(ctx context.Context, r SubjectRequest) (SubjectAnswer, error) {
	m, _, err := d.contributor(ctx)
	if err != nil {
		return SubjectAnswer{}, err
	}
	if !slices.Contains(Proofs, r.Proof) || r.Checked == "" || len(r.Checked) > 100 {
		return SubjectAnswer{}, invalid("say how control of the identifier was proved (%v) and who checked it, by role", Proofs)
	}
	forms, err := selector.Normalise(r.Class, r.Value, selector.Hint{Country: r.Country})
	if err != nil {
		return SubjectAnswer{}, invalid("the identifier cannot be read: %s", err)
	}
	var raw [6]byte
	if _, err := io.ReadFull(d.random, raw[:]); err != nil {
		return SubjectAnswer{}, err
	}
	now := d.clock.Now()
	f := Finding{Number: fmt.Sprintf("%02X%02X-%02X%02X-%02X%02X", raw[0], raw[1], raw[2], raw[3], raw[4], raw[5]), Org: d.who.ID, Time: now.UnixMicro(),
		Proof: r.Proof, Checked: r.Checked, Asked: forms, Labels: []seal.Label{}, References: []string{}}
	if err := d.find(ctx, &f); err != nil {
		return SubjectAnswer{}, err
	}
	plain, err := f.padded()
	if err != nil {
		return SubjectAnswer{}, err
	}
	sealed, err := seal.SealTo(m.Manifest.Authority.HPKE, []byte(client.SubjectInfo+f.Number), plain)
	if err != nil {
		return SubjectAnswer{}, err
	}
	if err := d.records.keepSubject(ctx, f.Number, now, plain); err != nil {
		return SubjectAnswer{}, err
	}
	if err := d.hub(ctx, m, client.PathSubject, client.SubjectReport{Number: f.Number, Sealed: sealed}, nil); err != nil {
		return SubjectAnswer{}, err
	}
	return subjectAnswer(f.Number, now), nil
}

// find reads every own record, whatever it finds on the way.
func (d *Desk) find(ctx context.Context, f *Finding) error {
	seen := make(map[seal.Label]bool)
	return d.records.eachOwn(ctx, func(o OwnRecord) {
		hit := false
		for _, s := range o.Record.Selectors {
			hit = slices.Contains(f.Asked, s) || hit
		}
		if hit && !seen[o.Label] {
			f.Held++
			f.Labels, f.References = append(f.Labels, o.Label), append(f.References, o.Record.Reference)
		}
		seen[o.Label] = true
	})
}

// padded encodes a finding to one size; what does not fit is counted only.
func (f Finding) padded() ([]byte, error) {
	for {
		raw, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if len(raw) <= client.SubjectSize {
			return append(raw, bytes.Repeat([]byte{' '}, client.SubjectSize-len(raw))...), nil
		}
		n := len(f.Labels)
		if n == 0 {
			return nil, invalid("the identifier is too long")
		}
		f.Labels, f.References = f.Labels[:n-1], f.References[:n-1]
	}
}

// ReceivedFinding is a finding at the authority, with its dates.
type ReceivedFinding struct {
	Finding
	Taken  time.Time `json:"taken"`
	Freeze time.Time `json:"freeze_by"`
	Decide time.Time `json:"decide_by"`
}

// Subjects fetches and opens the findings at the authority's desk. Each read is
// in the desk's read log first.
func (d *Desk) Subjects(ctx context.Context) ([]ReceivedFinding, error) {
	m, _, who, err := d.approver(ctx)
	if err != nil {
		return nil, err
	}
	if who.Role != opening.RoleAuthority || len(d.keys.HPKE) == 0 {
		return nil, fault.New(fault.Forbidden, "Only the authority's own desk reads findings.")
	}
	var got client.Subjects
	if err := d.hub(ctx, m, client.PathSubjects, struct{}{}, &got); err != nil {
		return nil, err
	}
	if _, err := d.read(ctx, m, Read{Opening: "subject findings", Items: len(got.Subjects)}); err != nil {
		return nil, err
	}
	out := []ReceivedFinding{}
	for _, x := range got.Subjects {
		raw, err := seal.OpenFrom(d.keys.HPKE, []byte(client.SubjectInfo+x.Number), x.Sealed)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "A finding of "+x.Organisation+" does not open.", err)
		}
		r := ReceivedFinding{Taken: time.UnixMicro(x.Taken).UTC(), Freeze: time.UnixMicro(x.Freeze).UTC(), Decide: time.UnixMicro(x.Decide).UTC()}
		if err := json.Unmarshal(bytes.TrimRight(raw, " "), &r.Finding); err != nil {
			return nil, err
		}
		if r.Org != x.Organisation || r.Number != x.Number {
			return nil, fault.New(fault.Invalid, "A finding names another organisation or number than the one that sent it.")
		}
		out = append(out, r)
	}
	return out, nil
}

// Retain keeps an opened lead for another 90 days, or clears it.
func (d *Desk) Retain(ctx context.Context, id, outcome, reason string) (r client.Retained, err error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return r, err
	}
	return r, d.hub(ctx, m, client.PathRetain, client.RetainRequest{Opening: id, Outcome: outcome, Reason: reason}, &r)
}

// Due lists what was opened by when it is to be reviewed.
func (d *Desk) Due(ctx context.Context) ([]client.Retained, error) {
	m, _, _, err := d.approver(ctx)
	if err != nil {
		return nil, err
	}
	var out client.RetainedList
	err = d.hub(ctx, m, client.PathRetained, struct{}{}, &out)
	return out.Openings, err
}

func (r *records) keepSubject(ctx context.Context, number string, at time.Time, plain []byte) error {
	id := r.v.key("subject", []byte(number))
	sealed, err := r.v.lock("subject", id, plain)
	if err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO desk_subject (id, made, sealed) VALUES ($1, $2, $3)`, id, at.UnixMicro(), sealed)
		return err
	})
}

// eachOwn reads every own record, under each of its keys.
func (r *records) eachOwn(ctx context.Context, do func(OwnRecord)) error {
	return r.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, label, sealed FROM desk_record ORDER BY id, label`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, label, sealed []byte
			if err := rows.Scan(&id, &label, &sealed); err != nil {
				return err
			}
			var o OwnRecord
			if err := r.decode("record", append(append([]byte{}, id...), label...), sealed, &o); err != nil {
				return err
			}
			do(o)
		}
		return rows.Err()
	})
}
