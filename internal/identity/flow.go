package identity

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"parallax/internal/api"
	"parallax/internal/fault"
	"parallax/internal/store"
)

// flowLife is how long a sign-in may take between its two ends.
const flowLife = 10 * time.Minute

// A flowKind says what a sign-in under way is for.
type flowKind string

const (
	flowSignIn flowKind = "sign-in" // anybody who has an account here
	flowEnrol  flowKind = "enrol"   // who was invited, the first time
	flowAgain  flowKind = "again"   // confirms who it is
	flowAdd    flowKind = "add"     // another passkey
)

// A flow is a sign-in under way: what the second half must find as the first
// left it. It is used once, by the browser that began it.
type flow struct {
	Kind     flowKind        `json:"kind"`
	Next     string          `json:"next"`
	Code     []byte          `json:"code"`     // hash of the invitation
	Person   string          `json:"person"`   // who confirms or adds
	Provider string          `json:"provider"` // of an account elsewhere; "" for a passkey
	Nonce    string          `json:"nonce"`
	Verifier string          `json:"verifier"`
	Passkey  json.RawMessage `json:"passkey"`
}

var errFlow = fault.New(fault.Conflict, "This sign-in was not begun in this browser, was finished before or took more than ten minutes. Begin again.")

// begin keeps a flow and gives the browser its value. It comes back in a cookie
// and, from a provider, as the state.
func (s *Service) begin(ctx context.Context, w http.ResponseWriter, f flow) (state string, err error) {
	state, hash, err := s.secret("")
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	err = s.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO identity_flow (id, kind, body, expires) VALUES ($1, $2, $3, $4)`,
			hash, string(f.Kind), string(raw), s.o.Clock.Now().Add(flowLife).UnixMicro())
		return err
	})
	http.SetCookie(w, s.flowCookie(state, int(flowLife.Seconds())))
	return state, err
}

// flowCookie is sent along when a provider sends the browser back, so it is Lax.
func (s *Service) flowCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: s.site.cookie("flow"), Value: value, Path: "/", HttpOnly: true, Secure: s.site.secure, SameSite: http.SameSiteLaxMode, MaxAge: seconds}
}

// take spends the flow that the browser's cookie names. state is what a
// provider sent back; "" where there is none to compare.
func (s *Service) take(w http.ResponseWriter, r *http.Request, state string) (f flow, err error) {
	c, err := r.Cookie(s.site.cookie("flow"))
	if err != nil || state != "" && subtle.ConstantTimeCompare([]byte(c.Value), []byte(state)) != 1 {
		return f, errFlow
	}
	http.SetCookie(w, s.flowCookie("", -1))
	var body string
	err = s.o.DB.Write(r.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRowContext(ctx, `DELETE FROM identity_flow WHERE id = $1 AND expires > $2 RETURNING body`, hashOf(c.Value), s.o.Clock.Now().UnixMicro()).Scan(&body)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return f, errFlow
	}
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal([]byte(body), &f)
}

// noteSignIn writes to the hub's own log who signed in, enrolled or confirmed, or
// that somebody did not: ids and words of closed lists, never a name, an
// account or anything that was sent.
func (s *Service) noteSignIn(r *http.Request, f flow, p Person, err error) {
	way := f.Provider
	if f.Kind != "" && way == "" {
		way = Passkey
	}
	attrs := []slog.Attr{slog.String("request_id", api.RequestID(r.Context())), slog.String("act", string(f.Kind)),
		slog.String("way", way), slog.String("person", p.ID)}
	if err != nil {
		s.o.Logger.LogAttrs(r.Context(), slog.LevelWarn, "sign-in failed", append(attrs, slog.String("kind", fault.KindOf(err).String()))...)
		return
	}
	s.o.Logger.LogAttrs(r.Context(), slog.LevelInfo, "signed in", attrs...)
}

// arrive does what a flow was begun for, now that the person is known: by is
// who the browser's session says asks.
func (s *Service) arrive(r *http.Request, f flow, p Person) error {
	if f.Kind == flowAgain {
		by, err := s.Who(r)
		if err != nil {
			return err
		}
		if by.Person == "" || by.Person != p.ID || by.Person != f.Person {
			return fault.New(fault.Forbidden, "Somebody else confirmed than who is signed in here. Nothing was confirmed.")
		}
		return s.sessions.confirm(r.Context())
	}
	if p.State != Active {
		return errNobody
	}
	return s.sessions.begin(r, p.ID)
}
