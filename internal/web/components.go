package web

import (
	"fmt"
	"time"

	"parallax/internal/web/chart"
)

// Tone colours a badge or a notice. The words carry the meaning; the tone only
// repeats it.
type Tone string

// The tones. There is no alarm: nothing here shouts.
const (
	Plain Tone = "plain" // neutral
	Info  Tone = "info"  // worth knowing
	Good  Tone = "good"  // done, holds
	Wait  Tone = "wait"  // waiting, due, needs care
	Stop  Tone = "stop"  // refused, stopped, cannot
)

// Text is a paragraph. A plain string in a list of blocks is the same.
type Text string

// Section is a part of a page under its own heading.
type Section struct {
	ID    string // for links to it; empty: made from the title
	Title string
	Sub   bool // a part of the section before it: heading level 3
	Body  []any
}

// Split puts two columns side by side where there is room: a list and its
// reading pane, a form and what it is about.
type Split struct {
	Main []any
	Side []any
}

// Badge is a short state in a box.
type Badge struct {
	Tone Tone
	Text string
}

// Cell is one value. The zero Cell is an empty one, shown as a dash.
type Cell struct {
	Text   string
	Href   string    // makes the text a link
	Badges []Badge   // after the text
	Note   string    // a second, quieter line
	Code   bool      // an identifier, a hash: monospaced, may break anywhere
	Time   time.Time // when set, shown instead of Text, in UTC
	Day    bool      // of Time only the day matters
}

// T is a cell of text.
func T(text string) Cell { return Cell{Text: text} }

// Tf is a cell of formatted text.
func Tf(format string, args ...any) Cell { return Cell{Text: fmt.Sprintf(format, args...)} }

// N is a cell that holds a whole number.
func N(n int64) Cell { return Cell{Text: Number(n)} }

// L is a cell that is a link.
func L(label, href string) Cell { return Cell{Text: label, Href: href} }

// At is a cell that holds a moment.
func At(t time.Time) Cell { return Cell{Time: t} }

// Column heads a column of a table.
type Column struct {
	Label   string
	Numeric bool // aligned to the right
}

// Cols are columns of text with these labels.
func Cols(labels ...string) []Column {
	cols := make([]Column, len(labels))
	for i, l := range labels {
		cols[i] = Column{Label: l}
	}
	return cols
}

// Row is a row; its first cell heads it. There are as many cells as columns.
type Row struct {
	Cells []Cell
	Why   string // why the row is here: rule, sources, weight; adds a column
	Tone  Tone   // Plain, or Wait for a row that needs something of the reader
}

// Table is a table with a caption, in a region of its own that scrolls sideways
// on a small screen. Without rows it is its Empty.
type Table struct {
	ID      string // for links to it and the filter; empty: made from the caption
	Caption string
	Columns []Column
	Rows    []Row
	Empty   Empty
	Filter  string // label of a filter box over the rows shown; empty: none
	Note    string // below the table: how to read it, what it leaves out
	Pages   Pages
}

// HasWhy reports whether any row says why it is here.
func (t Table) HasWhy() bool {
	for _, r := range t.Rows {
		if r.Why != "" {
			return true
		}
	}
	return false
}

// Pages are keyset links: there are no page numbers, since lists move.
type Pages struct {
	First string // address of the first page, empty when this is it
	Next  string // address of the next page, empty when there is none
	Shown string // "50 rows, newest first"
}

// Any reports whether there is anything to show.
func (p Pages) Any() bool { return p.First != "" || p.Next != "" || p.Shown != "" }

// Empty is shown where there is nothing yet.
type Empty struct {
	What   string // what appears here
	When   string // what makes it appear
	Action *Link  // what to do next
	Good   string // why empty may be good news
}

// Notice tells of one thing that matters now.
type Notice struct {
	Tone  Tone
	Title string
	Text  string
	Links []Link
}

// Disclosure hides its body until it is asked for. Sensitive text always goes
// in one; Holds then says what is inside, so that opening it is a choice.
type Disclosure struct {
	Label string // "Show the account's identifiers"
	Holds string // "Holds two payment identifiers. No images."
	Open  bool
	Body  []any
}

// Fact is a labelled value.
type Fact struct {
	Label string
	Value Cell
}

// Facts is a list of labels and values.
type Facts []Fact

// Terms is a definition list: terms with sentences that explain them.
type Terms []Term

// Term is an entry of Terms.
type Term struct {
	Name    string
	Meaning string
}

// Event is an entry of a Timeline.
type Event struct {
	At    time.Time
	Title string
	Text  string
	By    string
	Link  *Link
	Badge *Badge
}

// Timeline is what happened, in the given order.
type Timeline struct {
	Label  string // names the list for those who cannot see it
	Events []Event
	Empty  Empty
}

// Progress states of a Step.
const (
	StepDone    = "done"
	StepCurrent = "current"
	StepWaiting = "waiting"
	StepStopped = "stopped"
)

// Step is one step of Steps.
type Step struct {
	Label string
	State string // StepDone, StepCurrent, StepWaiting or StepStopped
	Note  string
	At    time.Time // when it was done; may be zero
}

// Steps says how far something has come.
type Steps struct {
	Label string
	Steps []Step
}

// StateWord is the state in words.
func (s Step) StateWord() string {
	switch s.State {
	case StepDone:
		return "Done"
	case StepCurrent:
		return "Now"
	case StepStopped:
		return "Stopped"
	default:
		return "Waiting"
	}
}

// Meter is a share of a whole: 2 of 3 key holders.
type Meter struct {
	Label string
	Done  int
	Total int
}

// List is a short list of links or lines.
type List struct {
	Label string // names the list; may be empty
	Items []Cell
	Empty Empty
}

// Checks is a list of conditions that hold, do not, or cannot be told.
type Checks struct {
	Label string
	Items []Check
}

// Check is one condition.
type Check struct {
	Label string
	State string // CheckHolds, CheckFails or CheckUnknown
	Note  string
}

// The states of a Check.
const (
	CheckHolds   = "holds"
	CheckFails   = "fails"
	CheckUnknown = "unknown"
)

// Badge is the state in words.
func (c Check) Badge() Badge {
	switch c.State {
	case CheckHolds:
		return Badge{Good, "Holds"}
	case CheckFails:
		return Badge{Stop, "Does not hold"}
	default:
		return Badge{Wait, "Cannot tell"}
	}
}

// Code is text as it is on the wire or on disk.
type Code struct {
	Label string // what it is; names the region
	Text  string
}

// Figure is a chart with its table, ways to take it away and how to cite it.
type Figure struct {
	Chart     chart.Chart
	HowToRead string
	Links     []Link // CSV, metadata
	Cite      string // names the log checkpoint
}

// Poll keeps a page fresh: the script asks URL for a PollState and, when its
// version is another, reloads the page, or offers to where a form is being
// filled in. Without the script there is a link to look again.
type Poll struct {
	URL     string
	Version string // the version that the page was made from
	Seconds int    // between two questions; less than 2 counts as 2
	Text    string // "Waiting for key holders."
	Again   string // address of the page itself
}

// PollState is the JSON answer to a Poll.
type PollState struct {
	Version string `json:"version"`
	Text    string `json:"text"`
	Done    bool   `json:"done"` // nothing more will change: stop asking
}

// Passkey is a button that makes or uses a passkey. Only the script can ask the
// browser for one, so without it the button is not there; the page says what to
// do instead. Options and Finish answer JSON; Finish says where to go on to.
type Passkey struct {
	Label   string
	Create  bool // makes one; otherwise uses one
	Options string
	Finish  string
	Values  []Hidden // sent to Options
}

// Actions is a row of links that look like buttons and of buttons that post.
type Actions []Action

// Action is a button. With Post it is a form of its own that posts to Href with
// the hidden values; otherwise it is a link.
type Action struct {
	Label   string
	Href    string
	Post    bool
	Hidden  []Hidden
	Primary bool   // the one main action of the page
	Careful bool   // leads to something that cannot be taken back
	About   string // what the action is about, read out after the label: "alert 12"
}
