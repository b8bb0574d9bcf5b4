package web_test

import (
	"embed"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parallax/internal/api"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/internal/web"
	"parallax/internal/web/chart"
)

//go:embed testdata/pages/*.html
var testPages embed.FS

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func testShell(*http.Request) web.Shell {
	return web.Shell{Product: "Parallax", Section: "Console", Role: "Lead reviewer, Example Centre",
		Banner: "Demonstration: simulated data",
		Nav: []web.NavItem{
			{Group: "Work", Label: "Today", Href: "/", Key: "t"},
			{Group: "Work", Label: "Openings", Href: "/gallery", Key: "o"},
			{Group: "Work", Label: "Contribute", Href: "/empty"},
			{Group: "Insight", Label: "Baseline", Href: "/baseline"},
			{Group: "Insight", Label: "Displacement", Href: "/displacement"},
			{Group: "Trust", Label: "Log", Href: "/log", Key: "l"},
			{Group: "Trust", Label: "Members and policy", Href: "/members"},
		},
		Account: []web.Link{{Label: "My settings", Href: "/me"}},
		Footer:  "A signal is not proof. Everything here is unverified until an authority decides.",
		Links:   []web.Link{{Label: "Accessibility", Href: "/accessibility"}}}
}

// testServer is the gallery: every component, full and empty.
func testServer(t *testing.T) *httptest.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	kit := testKit(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", kit.Assets())
	page := func(path, name string, view web.View) {
		mux.Handle("GET "+path, kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return kit.Render(w, r, http.StatusOK, name, view)
		}))
	}
	page("/gallery", web.Blocks, gallery())
	page("/form", web.Blocks, forms())
	page("/empty", web.Blocks, empties())
	page("/charts", web.Blocks, charts())
	page("/own", "slice/own", web.View{Title: "Own page", Question: "Does a slice's page work?",
		Data: map[string]any{"Rows": leadTable()}})
	mux.Handle("GET /state", kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return kit.Poll(w, web.PollState{Version: "1", Text: "Waiting for key holder 3."})
	}))
	mux.Handle("GET /conflict", kit.Handle(func(http.ResponseWriter, *http.Request) error {
		return web.NotDone(fault.New(fault.Conflict, "Another reviewer has decided this opening."), "Your approval was not recorded.")
	}))
	mux.Handle("POST /form", kit.Handle(func(w http.ResponseWriter, r *http.Request) error { return web.Redirect(w, r, "/gallery") }))
	mux.Handle("GET /panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("held a value") }))
	server := httptest.NewServer(api.Edge{Log: log, Clock: clock.Fixed(noon), Next: kit.Protect(mux)})
	t.Cleanup(server.Close)
	return server
}

func testKit(t *testing.T) *web.Kit {
	t.Helper()
	kit, err := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Shell: testShell})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Sub(testPages, "testdata/pages")
	if err != nil {
		t.Fatal(err)
	}
	if err := kit.Add("slice", pages); err != nil {
		t.Fatal(err)
	}
	return kit
}

func leadTable() web.Table {
	return web.Table{Caption: "Ready leads", Filter: "Show rows with the words",
		Columns: append(web.Cols("Lead", "Conditions", "Opened", "State"), web.Column{Label: "Sources", Numeric: true}),
		Rows: []web.Row{
			{Cells: []web.Cell{web.L("L-7Q2M", "/gallery#one"), web.T("3 organisations, 2 sectors"), web.At(noon),
				{Badges: []web.Badge{{Tone: web.Wait, Text: "Needs approval"}}}, web.N(3)},
				Why: "Rule: three organisations within 90 days. Weight 2.4.", Tone: web.Wait},
			{Cells: []web.Cell{web.L("L-9TRX", "/gallery#two"), web.T("4 organisations, 3 sectors"), web.At(noon.Add(-26 * time.Hour)),
				{Badges: []web.Badge{{Tone: web.Good, Text: "Released"}}}, web.N(12345)},
				Why: "Rule: three organisations within 90 days. Weight 3.1."},
			{Cells: []web.Cell{web.L("L-C41D", "/gallery#three"), {Code: true, Text: "4f0c2a9be1d74f0c2a9be1d7"}, {Time: noon, Day: true},
				{Badges: []web.Badge{{Tone: web.Stop, Text: "Declined"}}}, {}}},
		},
		Note:  "A lead is unverified. Sources are counted once each.",
		Pages: web.Pages{Shown: "3 rows, newest first", Next: "/gallery?after=L-C41D"}}
}

func gallery() web.View {
	return web.View{Title: "Openings", Question: "Which sealed matches may be opened?",
		Crumbs: []web.Link{{Label: "Work", Href: "/"}, {Label: "Openings", Href: "/openings"}},
		Notice: &web.Notice{Tone: web.Good, Title: "The approval was recorded.", Text: "It is entry 1,204 of the log.",
			Links: []web.Link{{Label: "See the entry", Href: "/log/1204"}}},
		Data: []any{
			leadTable(),
			web.Actions{{Label: "Approve", Href: "/form", Primary: true, About: "lead L-7Q2M"},
				{Label: "Decline with a reason", Href: "/form"}, {Label: "Freeze", Href: "/form", Careful: true},
				{Label: "Acknowledge", Href: "/form", Post: true, Hidden: []web.Hidden{{Name: "id", Value: "12"}}}},
			web.Split{
				Main: []any{web.Section{Title: "How far it is", Body: []any{
					web.Steps{Label: "Opening", Steps: []web.Step{
						{Label: "Requested", State: web.StepDone, At: noon, Note: "By an approver of Example Centre"},
						{Label: "Approved by the oversight body", State: web.StepCurrent},
						{Label: "Shares released", State: web.StepWaiting},
						{Label: "Read at the desk", State: web.StepStopped, Note: "The delay has not passed"}}},
					web.Meter{Label: "Key holders that answered", Done: 2, Total: 3},
					web.Poll{URL: "/state", Version: "1", Seconds: 5, Text: "Waiting for key holder 3.", Again: "/gallery"}}}},
				Side: []any{web.Section{Title: "About this lead", Body: []any{
					web.Facts{{Label: "Legal basis", Value: web.T("Disclosure to the authority, section 1 of the simulated overlay")},
						{Label: "Review by", Value: web.Cell{Time: noon, Day: true}},
						{Label: "Log root", Value: web.Cell{Text: "9c1185a5c5e9fc54612808977ee8f548b2258d31", Code: true}}},
					web.Checks{Label: "Conditions", Items: []web.Check{{Label: "Three organisations", State: web.CheckHolds},
						{Label: "Two sectors", State: web.CheckFails, Note: "One so far"}, {Label: "A lawful route", State: web.CheckUnknown}}}}}},
			},
			web.Disclosure{Label: "Show the identifiers", Holds: "Holds two payment identifiers. No images.", Body: []any{
				web.List{Items: []web.Cell{web.T("first identifier"), web.T("second identifier")}}}},
			web.Section{Title: "What happened", Body: []any{web.Timeline{Label: "History", Events: []web.Event{
				{At: noon, Title: "Opening requested", By: "Example Centre", Badge: &web.Badge{Tone: web.Info, Text: "Logged"}},
				{At: noon.Add(time.Hour), Title: "Approved", Text: "By the oversight body.", Link: &web.Link{Href: "/log/1204"}}}}}},
			web.Section{Title: "Words", Sub: true, Body: []any{web.Terms{{Name: "Sealed", Meaning: "Nobody can read it yet."}},
				web.Code{Label: "Checkpoint", Text: "example.org/parallax\n1204\nnBGFpcXp/FRhKAiXfuj1SLIljTGfLg9t7Y6VqWQ0Vxg=\n"},
				"A paragraph of text.", web.Link{Label: "A link", Href: "/"}}},
			web.Notice{Tone: web.Info, Title: "A signal is not proof.", Text: "Everything here is unverified."},
			web.Notice{Tone: web.Stop, Title: "Possible victim.", Text: "Adverse steps are stopped."},
			web.Notice{Tone: web.Wait, Text: "The clock ends on 5 March."},
			web.Notice{Tone: web.Plain, Text: "A plain notice."},
		}}
}

func forms() web.View {
	form := web.Form{Action: "/form", Multipart: true, Careful: true, Submit: "Approve the opening", Cancel: "/gallery",
		Note:   "This writes an entry to the log: who approved, when and on which basis.",
		Hidden: []web.Hidden{{Name: "version", Value: "3"}},
		Fields: []web.Field{
			{Name: "reason", Label: "Reason", Kind: web.FieldLong, Help: "One or two sentences. No identifiers.", Error: "Write a reason.", MaxLength: 500},
			{Name: "basis", Label: "Legal basis", Kind: web.FieldChoice, Options: []web.Option{{Value: "", Label: "Choose one"}, {Value: "a", Label: "Basis A"}}, Value: "a"},
			{Name: "role", Label: "Role of the subject", Kind: web.FieldRadios, Error: "Choose a role.",
				Options: []web.Option{{Value: "unknown", Label: "Unknown"}, {Value: "other", Label: "Other", Help: "Say which in the reason."}}},
			{Name: "also", Label: "Also tell", Kind: web.FieldChecks, Optional: true, Values: []string{"x"}, Options: []web.Option{{Value: "x", Label: "The contributor"}}},
			{Name: "week", Label: "Week", Kind: web.FieldDate},
			{Name: "weight", Label: "Weight", Kind: web.FieldNumber, Optional: true, Help: "From 0 to 5."},
			{Name: "file", Label: "Own records", Kind: web.FieldFile, Accept: ".csv", Optional: true},
			{Name: "sure", Label: "I have read the conditions", Kind: web.FieldCheck, Error: "Tick the box to go on."},
			{Name: "name", Label: "Your name", Value: `"><script>alert(1)</script>`, Autocomplete: "name"},
		}}
	return web.View{Title: "Approve an opening", Question: "Is this enough to open?", Problems: form.Problems(), Data: []any{form}}
}

func empties() web.View {
	return web.View{Title: "Contribute", Question: "What have we sent, what came of it?", Data: []any{
		web.Table{Caption: "Receipts", Columns: web.Cols("Batch", "Sent"), Empty: web.Empty{
			What: "Receipts of what you sent appear here.", When: "One comes with every batch that the hub took.",
			Good: "If nothing was suspected, there is nothing to send.", Action: &web.Link{Label: "Screen a file", Href: "/screen"}}},
		web.Timeline{Label: "History"}, web.List{}}}
}

func charts() web.View {
	return web.View{Title: "Charts", Question: "How much is there, how sure are we?", Data: []any{
		web.Figure{Chart: testBars(), HowToRead: "A longer bar means more.", Cite: "Parallax, checkpoint 1,204",
			Links: []web.Link{{Label: "Download CSV", Href: "/charts.csv"}}},
		web.Figure{Chart: testIntervals(), HowToRead: "The true number lies within the line in 95 of 100 cases."},
		web.Figure{Chart: testLine()}, web.Figure{Chart: testOverlap()}, web.Figure{Chart: testNetwork()}}}
}

func testBars() chart.Bars {
	return chart.Bars{Title: "Barriers by organisations blocked", Unit: "organisations", Head: "Barrier", Items: []chart.Bar{
		{Label: "No lawful road from a payment service to a platform", Value: 12},
		{Label: "Definitions differ", Value: 7, Low: 5, High: 10}, {Label: "No answer comes back", Value: 0}}}
}

func testIntervals() chart.Intervals {
	return chart.Intervals{Title: "Estimated number of networks", Unit: "networks", Level: "95 % interval", Mark: 100, MarkLabel: "seen so far",
		Items: []chart.Interval{{Label: "Model A", Low: 120, Mid: 180, High: 260}, {Label: "Lower bound", Low: 110, Mid: 140, High: math.Inf(1)},
			{Label: "Payments and platforms only", Refused: "cannot be told from these overlaps"}}}
}

func testNetwork() chart.Network {
	return chart.Network{Title: "How value moves", Nodes: []chart.Node{{ID: "a", Label: "Token 4F", Kind: "buyer"},
		{ID: "b", Label: "Token 9C", Kind: "broker"}, {ID: "c", Label: "Token 1D", Kind: "seller"}, {ID: "d", Label: "Token 77", Kind: "seller"},
		{ID: "e", Label: "Token E0", Kind: "venue"}},
		Edges: []chart.Edge{{From: "a", To: "b", Kind: "money", Directed: true, Note: "2 sources"},
			{From: "b", To: "c", Kind: "money", Directed: true}, {From: "c", To: "d", Kind: "trade"}, {From: "d", To: "e", Kind: "access"}}}
}

func testLine() chart.Line {
	return chart.Line{Title: "New observations each week", Unit: "observations", Level: "95 % interval", Mark: 2, MarkLabel: "intervention",
		Points: []chart.Point{{Label: "5 Jan", Value: 40, Low: 31, High: 52}, {Label: "12 Jan", Value: 44, Low: 33, High: 58},
			{Label: "19 Jan", Value: 21, Low: 14, High: 30}, {Label: "26 Jan", Missing: true}, {Label: "2 Feb", Value: 25, Low: 17, High: 36},
			{Label: "9 Feb", Value: 29, Low: 20, High: 41}}}
}

func testOverlap() chart.Overlap {
	return chart.Overlap{Title: "How sources overlap", Unit: "subjects", Sets: []string{"Banks", "Platforms", "Hotlines"},
		Items: []chart.Combination{{In: []bool{true, false, false}, Count: 120}, {In: []bool{false, true, false}, Count: 260},
			{In: []bool{true, true, false}, Count: 34}, {In: []bool{true, true, true}, Note: "fewer than 10"}}}
}
