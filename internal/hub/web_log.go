package hub

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/transparency"
	"parallax/internal/web"
	"parallax/internal/web/chart"
	"parallax/opening"
	"parallax/tlog"
)

// rows is how many rows a list shows at once.
const rows = 50

// A head is the newest witnessed checkpoint, read.
type head struct {
	tlog.Checkpoint
	note     []byte
	signed   client.Witnessing
	growth   []transparency.Head
	daily    bool
	manifest opening.Manifest
	halts    []transparency.Halt // why the log is read-only, if it is
}

// head reads the checkpoint that the pages speak of. Size 0 means that there
// is none yet.
func (c *console) head(ctx context.Context) (h head, err error) {
	h.manifest, _ = c.s.state.current()
	if h.halts, err = c.s.tlog.Halts(ctx); err != nil {
		return h, err
	}
	var size int64
	if size, h.note, err = c.s.tlog.Latest(ctx); err != nil || size == 0 {
		return h, err
	}
	if h.Checkpoint, h.signed, err = client.VerifyCheckpoint(h.manifest, h.note); err != nil {
		return h, err
	}
	h.growth, h.daily, err = c.s.tlog.Growth(ctx)
	return h, err
}

// witnessed is when the last of the quorum's signatures was made.
func (h head) witnessed() time.Time { return h.signed.Newest() }

func (h head) cite() string {
	return "Parallax, log " + h.Origin + ", checkpoint at " + web.Number(h.Size) + " entries, " + web.Day(h.witnessed())
}

// log answers: what was done, can I check it?
func (c *console) log(w http.ResponseWriter, r *http.Request) error {
	h, err := c.head(r.Context())
	if err != nil {
		return err
	}
	before, err := beforeEntry(r.URL.Query().Get("before"), h.Size)
	if err != nil {
		return err
	}
	table, err := c.entries(r.Context(), h, before)
	if err != nil {
		return err
	}
	view := web.View{Title: "Log", Question: "What was done, and can I check it?"}
	if before < h.Size { // a further page of the list is that list only
		view.Crumbs = []web.Link{{Label: "Log", Href: "/log"}}
		view.Data = []any{table}
		return c.blocks(w, r, view)
	}
	view.Data = append(c.headBlocks(h), web.Section{Title: "How to check it yourself", Body: c.howToVerify()}, table)
	return c.blocks(w, r, view)
}

func (c *console) headBlocks(h head) []any {
	out := []any{web.Text("Whoever contributes, asks, approves, withdraws, opens or reads leaves an entry here first. An entry shows only that something was promised and when; what it stands for is proven by whoever holds the receipt. The log grows by the same number of entries at every tick, fillers included, so its growth tells nobody how much happened.")}
	if c.s.tlog.ReadOnly() {
		out = append(out, web.Notice{Tone: web.Stop, Title: "The log is read-only" + h.since(),
			Text: h.because() + " Nothing is taken, opened or read until that is cleared up. What is shown here can still be checked."})
	}
	if h.Size == 0 {
		return append(out, web.Empty{What: "The newest witnessed checkpoint appears here.",
			When: "It comes at the first tick after the policy is in force, when " + web.Number(int64(c.s.state.committee().T)) + " key holders have signed it."})
	}
	holders := signersTable("Key holders who witnessed it", h.manifest.HolderWitnesses(), h.signed.Holders)
	holders.Note = fmt.Sprintf("At least %d must agree before a checkpoint counts.", h.manifest.Quorum)
	desks := signersTable("Desks that witnessed it", h.manifest.DeskWitnessKeys(), h.signed.Desks)
	desks.Note = "A second set of eyes. Each looks by its own timer, so a new checkpoint has few at first."
	desks.Empty = web.Empty{What: "No desk is a witness yet.", When: "Members and approvers are listed here once governance names their desks as witnesses."}
	facts := web.Facts{
		{Label: "Entries", Value: web.N(h.Size)},
		{Label: "Witnessed", Value: web.At(h.witnessed())},
		{Label: "Signatures", Value: web.Tf("%d of %d key holders; %d of %d desks", len(h.signed.Holders), len(h.manifest.Holders), len(h.signed.Desks), len(h.manifest.DeskWitnesses))},
		{Label: "Entries added at every tick", Value: web.Cell{Text: web.Number(int64(c.s.o.LeavesPerTick)), Note: "Always as many, fillers included"}},
		{Label: "Root", Value: web.Cell{Text: base64.StdEncoding.EncodeToString(h.Root[:]), Code: true}},
		{Label: "Log", Value: web.Cell{Text: h.Origin, Code: true}}}
	return append(out, web.Section{Title: "Newest checkpoint", Body: []any{
		web.Split{Main: []any{facts, web.Actions{{Label: "Download the checkpoint", Href: "/log/checkpoint", Primary: true}}}, Side: []any{holders, desks}}}},
		h.figure())
}

// since and because say why the log is read-only, as far as it is recorded.
func (h head) since() string {
	if len(h.halts) == 0 {
		return ""
	}
	return " since " + web.Moment(h.halts[0].Since)
}

func (h head) because() string {
	if len(h.halts) == 0 {
		return "A witness has seen entries that this log does not hold."
	}
	return "Because " + h.halts[0].Witness + " has witnessed a log of " + web.Number(h.halts[0].Size) + " entries that this one does not hold."
}

// signersTable lists a set of witnesses and when each signed.
func signersTable(caption string, set []tlog.WitnessKey, cosigs []tlog.Cosignature) web.Table {
	t := web.Table{Caption: caption, Columns: web.Cols("Witness", "Signed")}
	signed := map[string]time.Time{}
	for _, s := range cosigs {
		signed[s.Witness] = s.Time
	}
	for _, k := range set {
		row := web.Row{Cells: []web.Cell{web.T(k.Name), {Badges: []web.Badge{{Tone: web.Wait, Text: "Not yet"}}}}}
		if at, ok := signed[k.Name]; ok {
			row.Cells[1] = web.At(at)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (h head) figure() any {
	line := chart.Line{Title: "Entries in the log", Unit: "entries", Head: "At the end of"}
	for _, g := range h.growth {
		label := web.Day(g.Made)
		if !h.daily {
			label = g.Made.UTC().Format("2 Jan, 15:04")
		}
		line.Points = append(line.Points, chart.Point{Label: label, Value: float64(g.Size)})
	}
	if !h.daily {
		line.Head = "Tick"
	}
	return web.Figure{Chart: line, HowToRead: "An even slope is right: the log grows by the same amount at every tick. A flat part means that the hub was stopped.",
		Links: []web.Link{{Label: "Download as CSV", Href: "/log/growth.csv"}}, Cite: h.cite()}
}

func beforeEntry(text string, size int64) (int64, error) {
	if text == "" {
		return size, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, `"before" must be the number of an entry.`)
	}
	return min(n, size), nil
}

// entries lists the entries below before that the checkpoint covers.
func (c *console) entries(ctx context.Context, h head, before int64) (web.Table, error) {
	t := web.Table{Caption: "Entries", Columns: append([]web.Column{{Label: "Entry", Numeric: true}}, web.Cols("Commitment", "Added", "Proof")...),
		Empty: web.Empty{What: "Entries appear here.", When: "They come with the first witnessed checkpoint."},
		Note:  "All entries look the same. Whoever holds a receipt can find its commitment here."}
	list, err := c.s.tlog.Entries(ctx, before, rows+1)
	if err != nil {
		return t, err
	}
	t.Pages.Shown = "Newest first"
	if len(list) > rows {
		list = list[:rows]
		t.Pages.Next = "/log?before=" + strconv.FormatInt(list[rows-1].Leaf, 10)
	}
	if before < h.Size {
		t.Pages.First = "/log"
	}
	for _, e := range list {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.N(e.Leaf), {Text: opening.Hash(e.Commitment).String(), Code: true}, web.At(e.Time),
			web.L(fmt.Sprintf("Proof of entry %d", e.Leaf), "/log/proof/"+strconv.FormatInt(e.Leaf, 10))}})
	}
	if len(list) == 0 {
		t.Pages = web.Pages{}
	}
	return t, nil
}

func (c *console) howToVerify() []any {
	key, err := tlog.VerifierKey(c.s.o.Plan.Hub.LogOrigin, c.s.o.Plan.Hub.LogKey)
	if err != nil {
		key = "not available"
	}
	pin := "TRANSCRIPT-HASH"
	if setup, err := c.s.state.setup(); err == nil {
		pin = opening.Hash(setup.Transcript.Hash()).String()
	}
	hub := strings.TrimSuffix(c.s.o.Plan.Hub.URL, "/")
	return []any{
		web.Terms{
			{Name: "1. Read the whole log", Meaning: "The first command downloads every entry, computes the whole log anew, asks each key holder itself where it stands, and keeps what it saw. Run it again later: whoever keeps old checkpoints can show that the log was changed or cut."},
			{Name: "2. Check a receipt against it", Meaning: "A contributor's desk saves receipts with their proofs. The last command checks one without any connection."},
			{Name: "3. Or use programs of others", Meaning: "The checkpoint is a signed note (C2SP tlog-checkpoint with cosignatures), the log is served as tiles (C2SP tlog-tiles), and each entry's proof can be downloaded in the list below (C2SP tlog-proof)."},
		},
		web.Code{Label: "Commands", Text: "parallax verify --hub " + hub + " --pin " + pin + "\ncurl -o checkpoint.txt " + hub + client.PathLog + "checkpoint\nparallax desk receipts --dir DESK --out receipts\nparallax verify receipts/FILE --pin " + pin + "\n"},
		web.Code{Label: "The log's key, for other verifiers", Text: key + "\n"},
	}
}

// downloadCheckpoint is the machine's checkpoint as a file.
func (c *console) downloadCheckpoint(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Disposition", `attachment; filename="checkpoint.txt"`)
	err := c.s.checkpoint(w, r)
	if err != nil {
		w.Header().Del("Content-Disposition")
	}
	return err
}

// downloadProof is the place of one entry in the newest checkpoint, as a file.
func (c *console) downloadProof(w http.ResponseWriter, r *http.Request) error {
	leaf, err := strconv.ParseInt(r.PathValue("entry"), 10, 64)
	size, note, err2 := c.s.tlog.Latest(r.Context())
	if err2 != nil {
		return err2
	}
	if err != nil || leaf < 0 || leaf >= size || strconv.FormatInt(leaf, 10) != r.PathValue("entry") {
		return fault.New(fault.NotFound, "The witnessed log has no such entry.")
	}
	p, err := c.s.tlog.Inclusion(r.Context(), leaf, size)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="entry-%d.tlog-proof"`, leaf))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(tlog.ProofText(p, note)) // the reader may be gone
	return nil
}

// growthCSV is the chart's table.
func (c *console) growthCSV(w http.ResponseWriter, r *http.Request) error {
	h, err := c.head(r.Context())
	if err != nil {
		return err
	}
	rows := [][]string{{"time_utc", "entries"}}
	for _, g := range h.growth {
		rows = append(rows, []string{g.Made.UTC().Format(time.RFC3339), strconv.FormatInt(g.Size, 10)})
	}
	return web.CSV(w, "log-growth.csv", rows)
}
