package pool

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/scope"
	"parallax/internal/web"
	"parallax/opening"
)

//go:embed *.html
var pageFiles embed.FS

// rows is how many rows a list shows at once, and few how many a short list.
const (
	rows = 50
	few  = 5
)

// Pages are the pool's pages: what one member sent, and nothing else. They
// read only rows of that member, so they are the same bytes whatever others
// did.
type Pages struct {
	pool *Service
	kit  *web.Kit
}

// NewPages adds the pool's pages to a kit.
func NewPages(s *Service, kit *web.Kit) (*Pages, error) {
	return &Pages{s, kit}, kit.Add("pool", pageFiles)
}

// contribution is what the page Contribute shows.
type contribution struct {
	Intro, Rest []any
	Poll        any
	Sent        web.Timeline
	Pages       web.Pages
}

// mine is whose rows a request may touch, as the gate decided.
func mine(ctx context.Context) scope.Scope {
	of, _ := scope.From(ctx)
	return of
}

// Contribute answers: what have we sent, what came of it?
func (p *Pages) Contribute(w http.ResponseWriter, r *http.Request) error {
	before, err := parseBefore(r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	list, err := p.pool.own(r.Context(), mine(r.Context()), before, rows+1)
	if err != nil {
		return err
	}
	data := contribution{Intro: intro(), Rest: rest()}
	if before != newest {
		data.Pages.First = "/contribute"
	}
	if len(list) > rows {
		list = list[:rows]
		last := list[rows-1]
		data.Pages.Next = "/contribute?before=" + strconv.FormatInt(last.Received.UnixMicro(), 10) + "-" + last.Ticket
	}
	data.Sent = timeline(list)
	if st := pollState(list); before == newest && !st.Done {
		data.Poll = web.Poll{URL: "/contribute/state", Version: st.Version, Seconds: 10, Text: st.Text, Again: "/contribute"}
	}
	return p.kit.Render(w, r, http.StatusOK, "pool/contribute", web.View{Title: "Contribute",
		Question: "What have we sent, what came of it?", Data: data})
}

// State says whether the member's own list has changed.
func (p *Pages) State(w http.ResponseWriter, r *http.Request) error {
	list, err := p.pool.own(r.Context(), mine(r.Context()), newest, rows)
	if err != nil {
		return err
	}
	return p.kit.Poll(w, pollState(list))
}

// Today gives a member's three short lists.
func (p *Pages) Today(ctx context.Context) ([]any, error) {
	list, err := p.pool.own(ctx, mine(ctx), newest, rows)
	if err != nil {
		return nil, err
	}
	waiting := web.List{Label: "Waiting for the log", Empty: web.Empty{What: "Nothing waits.", When: "What you send appears here until the next witnessed checkpoint covers it.", Good: "A receipt is a promise; the log proves it later."}}
	logged := web.List{Label: "In the log", Empty: web.Empty{What: "Receipts whose proof is there appear here.", When: "The proof comes with the tick after a batch was taken.", Action: &web.Link{Label: "See all that we sent", Href: "/contribute"}}}
	gone := web.List{Label: "Withdrawn or expired", Empty: web.Empty{What: "Nothing was withdrawn and nothing has expired.", When: "Withdrawals appear here, and observations whose time is over."}}
	for _, x := range list {
		cell := web.Cell{Text: x.title(), Href: "/contribute", Note: web.Moment(x.Received)}
		switch {
		case x.Withdrawal || x.Live == 0 && x.Withdrawn+x.Expired > 0:
			add(&gone, cell)
		case x.Logged:
			add(&logged, cell)
		default:
			add(&waiting, cell)
		}
	}
	return []any{web.Section{Title: "Waiting for the log", Body: []any{waiting}}, web.Section{Title: "In the log", Body: []any{logged}},
		web.Section{Title: "Withdrawn or expired", Body: []any{gone}}}, nil
}

func add(l *web.List, c web.Cell) {
	if len(l.Items) < few {
		l.Items = append(l.Items, c)
	}
}

func intro() []any {
	return []any{web.Text("This page shows what your own organisation sent. It looks the same whether or not anybody else holds the same identifiers, and nothing here tells you which it is.")}
}

func rest() []any {
	return []any{
		web.Section{Title: "What came of it", Body: []any{web.Empty{What: "Outcomes that the authority releases appear here.",
			When: "The authority decides whether and when. Every member hears at the same time and in the same form.",
			Good: "An empty list says nothing about whether your contributions matched."}}},
		web.Section{Title: "Send, correct or withdraw", Body: []any{
			web.Text("This is done at your own desk, where your records and keys are. Before anything leaves, the desk shows exactly what it would send."),
			web.Code{Label: "At your desk", Text: "parallax desk check FILE\nparallax desk submit FILE --dir DESK\nparallax desk receipts --dir DESK\nparallax desk withdraw --dir DESK --ref REFERENCE --reason \"why\"\nparallax desk correct freeze --dir DESK --ref REFERENCE --reason \"why\"\n"}}}}
}

func timeline(list []Sent) web.Timeline {
	t := web.Timeline{Label: "What we sent, newest first", Empty: web.Empty{What: "Receipts of what you sent appear here.",
		When: "One comes with every batch that the hub took, and with every withdrawal.", Good: "If nothing was suspected, there is nothing to send."}}
	for _, x := range list {
		badge := web.Badge{Tone: web.Wait, Text: "Waiting for the log"}
		if x.Logged {
			badge = web.Badge{Tone: web.Good, Text: "In the log"}
		}
		t.Events = append(t.Events, web.Event{At: x.Received, Title: x.title(), Text: x.now(), By: "Receipt " + x.Ticket, Badge: &badge})
	}
	return t
}

func (x Sent) title() string {
	if x.Withdrawal {
		return denied[x.Kind].title + " of " + plural(x.Observations)
	}
	return "Batch of " + plural(x.Observations)
}

func plural(n int) string {
	if n == 1 {
		return "1 observation"
	}
	return web.Number(int64(n)) + " observations"
}

// denied puts a member's own denials into words, by kind.
var denied = map[string]struct{ title, now string }{
	opening.DenyWithdraw: {"Withdrawal", "What it names counts no more and its sealed boxes are emptied."},
	opening.DenyFreeze:   {"Freeze", "What it names does not count or open until you decide, within 30 days."},
	opening.DenyUphold:   {"Decision to keep", "The freeze is lifted; what it names counts again."},
	opening.DenyAmend:    {"Amendment", "What it names is replaced: it counts no more and its sealed boxes are emptied."},
	opening.DenyRevoke:   {"Revocation", "What it names was wrong: it counts no more and its sealed boxes are emptied."},
}

// now says what the observations are by now.
func (x Sent) now() string {
	if x.Withdrawal {
		return denied[x.Kind].now
	}
	var parts []string
	for _, s := range []struct {
		n    int
		word string
	}{{x.Live, "kept sealed"}, {x.Withdrawn, "withdrawn"}, {x.Expired, "expired"}} {
		if s.n > 0 {
			parts = append(parts, web.Number(int64(s.n))+" "+s.word)
		}
	}
	if len(parts) == 0 { // a batch of what an earlier one brought
		return "All of it was here already."
	}
	return strings.Join(parts, ", ")
}

// pollState changes when the member's own list does. It waits for the log only.
func pollState(list []Sent) web.PollState {
	h, waiting := sha256.New(), 0
	for _, x := range list[:min(len(list), rows)] {
		fmt.Fprintln(h, x.Ticket, x.Logged, x.Live, x.Withdrawn, x.Expired)
		if !x.Logged {
			waiting++
		}
	}
	st := web.PollState{Version: hex.EncodeToString(h.Sum(nil)[:8]), Done: waiting == 0, Text: "Everything is in the log."}
	if waiting > 0 {
		st.Text = "Waiting for the next witnessed checkpoint."
	}
	return st
}

// newest is before the newest row.
var newest = sentBefore{at: math.MaxInt64}

func parseBefore(text string) (sentBefore, error) {
	if text == "" {
		return newest, nil
	}
	at, ticket, ok := strings.Cut(text, "-")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || n < 0 || len(ticket) > 64 {
		return newest, fault.New(fault.Invalid, `"before" must be the place that a link of this list names.`)
	}
	return sentBefore{at: n, ticket: ticket}, nil
}
