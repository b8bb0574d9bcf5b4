package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"parallax/internal/fault"
	"parallax/internal/gateway/law"
	"parallax/internal/gateway/route"
	"parallax/internal/store"
)

// renewal is what Renew remembers. One runs at a time.
type renewal struct {
	mu      sync.Mutex
	seen    [32]byte // files and day that were looked at last
	refused *Refusal
}

// A Refusal says why a version that was laid down is not in use.
type Refusal struct {
	Why string // one sentence for people
	At  time.Time
}

// Refused says why the law data that lies ready is not in use; nil where nothing
// was refused.
func (s *Service) Refused() *Refusal {
	s.renewal.mu.Lock()
	defer s.renewal.mu.Unlock()
	return s.renewal.refused
}

// Renew takes the version that lies ready into use while the hub runs, if two
// counsel signed it and it is effective today. Anything else leaves the version in
// use, and the error says why, once a day as long as the files stay the same.
// changed: another version answers now.
func (s *Service) Renew(ctx context.Context, read func() (law.Files, error)) (changed bool, err error) {
	s.renewal.mu.Lock()
	defer s.renewal.mu.Unlock()
	day := s.today()
	files, err := read()
	seen, next, err := s.look(files, day, err)
	if seen == s.renewal.seen {
		return false, nil
	}
	if err != nil {
		s.renewal.seen, s.renewal.refused = seen, &Refusal{Why: whole(err), At: s.clock.Now()}
		return false, err
	}
	changed = next.Digest != s.Law().Digest
	if err := s.adopt(ctx, next); err != nil {
		return false, err
	}
	s.renewal.seen, s.renewal.refused = seen, nil
	return changed, nil
}

// whole is the sentence of an error with a capital and a full stop.
func whole(err error) string {
	s := strings.TrimSuffix(fault.Sentence(err), ".") + "."
	return strings.ToUpper(s[:1]) + s[1:]
}

// look reads the version that lies ready. seen names what was looked at and on
// which day, also where it cannot be read.
func (s *Service) look(files law.Files, day string, wrong error) (seen [32]byte, next law.Deployed, err error) {
	what := struct {
		Day, Wrong string
		Files      law.Files
	}{Day: day, Files: files}
	if wrong != nil {
		what.Wrong = fault.Sentence(wrong)
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return seen, next, err
	}
	if seen = sha256.Sum256(raw); seen == s.renewal.seen || wrong != nil {
		return seen, next, wrong
	}
	now := s.Law()
	if next, err = law.Deploy(files, day); err != nil {
		return seen, next, err
	}
	if next.SignedBy == nil && next.Digest != now.Digest {
		return seen, next, fault.Newf(fault.Forbidden, "Law data %s is not signed by two counsel, so a running hub does not take it.", next.Set.Meta.DataVersion)
	}
	return seen, next, nil
}

// adopt answers by data from now on, and voids approvals whose answer is another
// one under it.
func (s *Service) adopt(ctx context.Context, data law.Deployed) error {
	text, err := data.Set.Text()
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		other, err := saveLaw(ctx, tx, data, string(text), s.clock.Now())
		if err != nil || !other {
			return err
		}
		_, err = s.record(ctx, tx, data.Digest, "gateway-law", data.Set.Meta.DataVersion, "", data.Digest)
		return err
	})
	if err != nil {
		return err
	}
	s.law.Store(&data)
	return s.reconsider(ctx, data)
}

// reconsider voids every approval whose answer is another one under data.
func (s *Service) reconsider(ctx context.Context, data law.Deployed) error {
	var standing []Request
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		standing, err = requestsIn(ctx, tx, Approved)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range standing {
		if r.Card.Digest == data.Digest || r.otherwise(data) == "" {
			continue
		}
		_, err := s.change(ctx, data, Person{ID: "gateway", Organisation: r.Organisation}, r.ID, "gateway-void", func(r *Request) (string, string, error) {
			why := r.otherwise(data)
			if r.State != Approved || why == "" {
				return "", "", fault.New(fault.Conflict, "Somebody decided about the request meanwhile.")
			}
			r.State = Void
			return Void, why, nil
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// otherwise says how the answer to an approved request differs under data, or "".
func (r Request) otherwise(data law.Deployed) string {
	_, now, err := Evaluate(data, r.Draft)
	switch {
	case err != nil:
		return "it cannot be asked of data " + data.Set.Meta.DataVersion + ": " + fault.Sentence(err)
	case r.Decision == nil || now.Print != r.Decision.Print:
		return "its answer is another one under data " + data.Set.Meta.DataVersion + ": " + strings.Join(differences(r.Card.Answer, now.Answer), "; ")
	case !slices.ContainsFunc(now.Answer.Routes, func(x route.Route) bool { return slices.Equal(x.IDs, r.Decision.Route) }):
		return "its route is none under data " + data.Set.Meta.DataVersion
	}
	return ""
}
