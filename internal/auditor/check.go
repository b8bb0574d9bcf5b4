package auditor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/tlog"
)

// Options of a check.
type Options struct {
	Hub string // address
	// Pin is the transcript hash that the key holders published; zero takes what
	// the hub shows, or what was taken at the first check.
	Pin opening.Hash
	// State is the file that keeps what was seen; empty keeps and compares
	// nothing.
	State string
	// Desks is how many desk witnesses must have signed the checkpoint.
	Desks int
	// Receipts are commitments that must be in the log, by name.
	Receipts map[string]Receipt
	HTTP     *http.Client
	Clock    clock.Clock
	Progress func(done, all int)
	// Again waits before the hub's checkpoint is looked at once more, since a key
	// holder had seen a newer one: a tick may be under way. False gives up; nil
	// looks a second time at once.
	Again func(ctx context.Context, try int) bool
	// Auditor opens every entry and re-runs the grouping, as an auditor whom the
	// manifest names; nil leaves that out. Opened shows how far it is.
	Auditor *client.Caller
	Opened  func(done, all int)
}

// A Receipt is a saved receipt's place in the log, as its own proof says.
type Receipt struct {
	Commitment tlog.Hash
	Leaf       int64
}

// maxAge is how old the newest witnessed checkpoint may be: key holders accept
// none that is older.
const maxAge = 24 * time.Hour

// A Report is what a check found. Result is one of the constants below; Checks
// say what was looked at, in order, up to what failed.
type Report struct {
	Hub      string       `json:"hub"`
	Result   string       `json:"result"`
	Problem  string       `json:"problem,omitempty"`
	Evidence string       `json:"evidence,omitempty"` // file with two checkpoints that cannot both be true
	Checks   []string     `json:"checks"`
	Pool     string       `json:"pool"`
	Epoch    string       `json:"epoch"`
	Pin      opening.Hash `json:"transcript"`
	Pinned   bool         `json:"pinned"` // by the caller, not by the first check
	Manifest int          `json:"manifest"`
	// Generation of the key shares in force; 0 is the ceremony's.
	Generation int             `json:"generation"`
	Entries    int64           `json:"entries"`
	Tiles      int             `json:"tiles"`
	Root       tlog.Hash       `json:"root"`
	Origin     string          `json:"origin"`
	Holders    Signers         `json:"holders"`
	Desks      Signers         `json:"desks"`
	Earlier    *Seen           `json:"earlier,omitempty"` // what this log was compared with
	Asked      []Stand         `json:"asked"`             // what the key holders say themselves
	Receipts   int             `json:"receipts"`
	Grouping   *Grouping       `json:"grouping,omitempty"`
	Head       tlog.Checkpoint `json:"-"`

	setup    client.Setup
	manifest opening.Manifest
	record   opening.Hash // of the generation
}

// Results of a check.
const (
	Verified = "verified"
	Forked   = "forked"    // the log does not hold what it held, or what a holder saw
	ReadOnly = "read-only" // the hub says itself that it has lost entries
	Failed   = "failed"
)

// Signers is how many of a set of witnesses signed the checkpoint.
type Signers struct {
	Signed []string `json:"signed"`
	Of     int      `json:"of"`
	Need   int      `json:"need"`
}

// Seen is an earlier checkpoint.
type Seen struct {
	Size int64     `json:"size"`
	At   time.Time `json:"at"`
}

// A Stand is where a key holder says that it stands.
type Stand struct {
	Holder  string `json:"holder"`
	Reached bool   `json:"reached"`
	Size    int64  `json:"size"`
	Halted  bool   `json:"halted"`
	// Generation of the key shares that the holder follows.
	Generation int    `json:"generation"`
	Why        string `json:"why,omitempty"` // not reached, or not believed
}

// check is one run.
type check struct {
	Options
	source client.LogSource
	report *Report
	state  *state
	note   []byte
	stands []client.HolderStatus
	seen   client.Witnessing
	// entries are all commitments of the log, kept for an auditor only.
	entries []tlog.Hash
	// wanted and sizes are looked for beside what every check looks for.
	wanted []tlog.Hash
	sizes  []int64
	found  client.Rebuilt
}

// Check reads the whole log of a hub and verifies it. The report says what was
// found also where the error is not nil.
func Check(ctx context.Context, o Options) (Report, error) {
	r := Report{Hub: o.Hub, Result: Failed, Checks: []string{}, Asked: []Stand{}, Holders: Signers{Signed: []string{}}, Desks: Signers{Signed: []string{}}}
	c := &check{Options: o, report: &r, source: client.LogSource{URL: o.Hub, HTTP: o.HTTP}}
	for _, step := range []func(context.Context) error{c.remember, c.keys, c.ask, c.checkpoint, c.log, c.group, c.health, c.keep} {
		if err := step(ctx); err != nil {
			var f *client.Fork
			if errors.As(err, &f) {
				r.Result = Forked
			}
			r.Problem = sentence(err)
			return r, err
		}
	}
	r.Result = Verified
	return r, nil
}

func sentence(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.Sentence(err)
	}
	return err.Error()
}

func (c *check) did(format string, args ...any) {
	c.report.Checks = append(c.report.Checks, fmt.Sprintf(format, args...))
}

func (c *check) remember(context.Context) (err error) {
	c.state, err = readState(c.State, c.Hub)
	return err
}

// keys verifies the key ceremony and the chain of manifests.
func (c *check) keys(ctx context.Context) error {
	var setup client.Setup
	if err := client.Get(ctx, c.HTTP, c.Hub+client.PathTranscript, &setup); err != nil {
		return err
	}
	pin, from := c.Pin, "the hash that you gave"
	switch shown := opening.Hash(setup.Transcript.Hash()); {
	case c.state.known() && c.Pin != (opening.Hash{}) && c.Pin != c.state.Pin:
		return fault.New(fault.Invalid, "The transcript hash is another than at the check before. If this is another pool, use another --state file.")
	case c.state.known():
		pin, from = c.state.Pin, "the hash of the check before"
	case c.Pin == (opening.Hash{}):
		pin, from = shown, "what the hub shows: compare it with the key holders"
	}
	if err := setup.Verify(pin); err != nil {
		return fault.Wrap(fault.Conflict, "The hub's key ceremony was refused: "+err.Error()+".", err)
	}
	var list client.Manifests
	if err := client.Get(ctx, c.HTTP, c.Hub+client.PathManifest, &list); err != nil {
		return err
	}
	m, err := setup.Chain(list.Manifests)
	if err != nil {
		return fault.Wrap(fault.Conflict, "The hub's manifests were refused: "+err.Error()+".", err)
	}
	if err := c.state.checkManifests(list.Manifests); err != nil {
		return err
	}
	all := setup.Committees()
	if err := c.state.checkShares(all); err != nil {
		return err
	}
	r := c.report
	r.setup, r.manifest = setup, m
	r.Generation, r.record = m.Generation, all[m.Generation].Record
	r.Pool, r.Epoch, r.Pin, r.Pinned, r.Manifest = m.Pool, m.Epoch, pin, c.Pin != opening.Hash{}, m.Version
	c.did("key ceremony: transcript signed by all %d key holders, against %s", setup.Plan.N, from)
	if m.Generation > 0 {
		c.did("key shares: generation %d in force; each record since the ceremony was ordered by governance and signed by all its new holders", m.Generation)
	}
	c.did("manifests: %d in a chain, each signed by the governance quorum", len(list.Manifests))
	c.state.Generation, c.state.Record = r.Generation, r.record
	c.state.Pin, c.state.Manifest, c.state.ManifestDigest = pin, m.Version, opening.Digest(list.Manifests[len(list.Manifests)-1].Body)
	return nil
}

// ask asks each key holder itself where it stands, before the hub is asked for
// its checkpoint: that must then be at least as large.
func (c *check) ask(ctx context.Context) error {
	now := c.Clock.Now
	for _, h := range c.report.manifest.Holders {
		st, err := client.Status(ctx, c.HTTP, h, now)
		s := Stand{Holder: h.ID, Reached: err == nil, Size: st.LogSize, Halted: st.Halted, Generation: st.Generation}
		if err != nil {
			s.Why = err.Error()
		} else {
			c.stands = append(c.stands, st)
		}
		c.report.Asked = append(c.report.Asked, s)
	}
	return c.sameShares()
}

// sameShares compares what the holders say of the key shares with what the hub
// shows: an older record is refused, and so is another one of the same
// generation. A holder that has not switched yet is only noted.
func (c *check) sameShares() error {
	r := c.report
	for _, st := range c.stands {
		switch {
		case st.Generation > r.Generation:
			return fault.Newf(fault.Conflict, "Key holder %s follows generation %d of the key shares and the hub shows generation %d: it shows an older record.", st.ID, st.Generation, r.Generation)
		case st.Generation == r.Generation && st.Record != nil && *st.Record != r.record:
			r.Result = Forked
			return fault.Newf(fault.Conflict, "Key holder %s follows another record of generation %d of the key shares than the hub shows: THE KEY SHARES ARE FORKED. Ask all key holders and governance.", st.ID, r.Generation)
		}
	}
	return nil
}

// checkpoint reads the newest one. A second look is taken where a key holder is
// ahead: a tick may be under way.
func (c *check) checkpoint(ctx context.Context) error {
	r := c.report
	for try := 0; ; try++ {
		var err error
		if c.note, err = c.source.Checkpoint(ctx); err != nil {
			return err
		}
		if r.Head, c.seen, err = client.VerifyCheckpoint(r.manifest, c.note); err != nil {
			return fault.Wrap(fault.Conflict, "The hub's checkpoint was refused: "+err.Error()+".", err)
		}
		ahead := c.ahead()
		if ahead == "" {
			break
		}
		if c.Again == nil && try > 0 || c.Again != nil && !c.Again(ctx, try) {
			return fault.New(fault.Conflict, ahead+" Either a tick is under way, or entries are withheld from you: check again in a few minutes.")
		}
	}
	r.Entries, r.Root, r.Origin = r.Head.Size, r.Head.Root, r.Head.Origin
	r.Holders = signers(c.seen.Holders, len(r.manifest.Holders), r.manifest.Quorum)
	r.Desks = signers(c.seen.Desks, len(r.manifest.DeskWitnesses), c.Desks)
	c.did("checkpoint: %d entries, signed by the log, by %d of %d key holders (%d are needed) and by %d of %d desks",
		r.Entries, len(r.Holders.Signed), r.Holders.Of, r.Holders.Need, len(r.Desks.Signed), r.Desks.Of)
	if len(r.Desks.Signed) < c.Desks {
		return fault.Newf(fault.Conflict, "%d desk witnesses signed the checkpoint, and you ask for %d.", len(r.Desks.Signed), c.Desks)
	}
	return nil
}

func (c *check) ahead() string {
	for _, st := range c.stands {
		if st.LogSize > c.report.Head.Size {
			return fmt.Sprintf("Key holder %s has witnessed %d entries and the hub shows %d.", st.ID, st.LogSize, c.report.Head.Size)
		}
	}
	return ""
}

func signers(list []tlog.Cosignature, of, need int) Signers {
	s := Signers{Signed: []string{}, Of: of, Need: need}
	for _, x := range list {
		s.Signed = append(s.Signed, x.Witness)
	}
	return s
}

// log computes the whole log anew and compares it with every earlier head.
func (c *check) log(ctx context.Context) error {
	r := c.report
	heads := []tlog.Checkpoint{}
	if c.state.Head != nil {
		heads = append(heads, *c.state.Head)
		r.Earlier = &Seen{c.state.Head.Size, time.UnixMicro(c.state.At).UTC()}
	}
	for _, st := range c.stands {
		heads = append(heads, tlog.Checkpoint{Origin: r.Origin, Size: st.LogSize, Root: st.LogRoot})
	}
	wanted := slices.Clone(c.wanted)
	for _, w := range c.Receipts {
		wanted = append(wanted, w.Commitment)
	}
	all, done := client.TilesOf(r.Head.Size), 0
	step := func() {
		done++
		if c.Progress != nil {
			c.Progress(done, all)
		}
	}
	each := func(tlog.Hash) {}
	if c.Auditor != nil {
		each = func(h tlog.Hash) { c.entries = append(c.entries, h) }
	}
	got, err := c.source.Rebuild(ctx, r.Head, client.Look{Earlier: heads, Wanted: wanted, Sizes: c.sizes, Step: step, Each: each})
	if err != nil {
		return c.forked(err)
	}
	r.Tiles, c.found = got.Tiles, got
	c.did("log: %d tiles read, all %d entries hashed anew; they give the signed root, and every stored hash is theirs", got.Tiles, got.Entries)
	if r.Earlier != nil {
		c.did("history: it holds unchanged what it held at the check of %s (%d entries)", r.Earlier.At.Format("2006-01-02 15:04 UTC"), r.Earlier.Size)
	}
	c.did("split view: %d of %d key holders, asked directly, saw this same log", len(c.stands), len(r.manifest.Holders))
	return c.receipts(got)
}

// forked keeps the two heads where the log does not hold what it held.
func (c *check) forked(err error) error {
	var f *client.Fork
	if !errors.As(err, &f) {
		return err
	}
	text := fmt.Sprintf("THE LOG WAS CHANGED: it has %d entries now and does not hold what was signed at %d (%s).", f.Now.Size, f.Earlier.Size, f.Reason)
	if c.state.Head == nil || *c.state.Head != f.Earlier {
		return fault.Wrap(fault.Conflict, text+" A key holder has cosigned that other history; ask all of them.", err)
	}
	path, werr := c.state.evidence(c.State, c.note)
	c.report.Evidence = path
	return fault.Wrap(fault.Conflict, text+" Both checkpoints are kept in "+path+". Show them to the key holders and governance.", errors.Join(err, werr))
}

// receipts requires that each is where its own proof says.
func (c *check) receipts(got client.Rebuilt) error {
	for name, w := range c.Receipts {
		at, ok := got.Found[w.Commitment]
		switch {
		case !ok:
			return fault.Newf(fault.Conflict, "The log does not hold the entry of %s.", name)
		case at != w.Leaf:
			return fault.Newf(fault.Conflict, "The entry of %s is at place %d of the log and its proof says %d.", name, at+1, w.Leaf+1)
		}
		c.report.Receipts++
	}
	if len(c.Receipts) > 0 {
		c.did("receipts: %d of %d are in this log where their proofs say", c.report.Receipts, len(c.Receipts))
	}
	return nil
}

// health asks whether the log goes on: an old head, or a hub that has stopped,
// is no good news though every signature holds.
func (c *check) health(ctx context.Context) error {
	var st struct {
		ReadOnly []struct {
			Witness string    `json:"witness"`
			Size    int64     `json:"size"`
			Since   time.Time `json:"since"`
		} `json:"read_only"`
	}
	if err := client.Get(ctx, c.HTTP, c.Hub+client.PathStatus, &st); err != nil {
		return err
	}
	if len(st.ReadOnly) > 0 {
		h := st.ReadOnly[0]
		c.report.Result = ReadOnly
		return fault.Newf(fault.Unavailable, "The hub is read-only since %s, because %s has witnessed %d entries that the log does not hold. What it serves verifies, and it takes nothing new.",
			h.Since.Format("2006-01-02 15:04 UTC"), h.Witness, h.Size)
	}
	age := c.Clock.Now().Sub(c.seen.Newest())
	switch {
	case age > maxAge && !c.report.manifest.Demo:
		return fault.Newf(fault.Unavailable, "The newest checkpoint was witnessed %d hours ago. Key holders accept none older than 24: the log stands still, or an old one is shown to you.", int(age.Hours()))
	case age > maxAge:
		c.did("age: the newest checkpoint is %d hours old by this clock; that is accepted of a demonstration only", int(age.Hours()))
	default:
		c.did("age: witnessed on %s", c.seen.Newest().UTC().Format("2006-01-02 15:04 UTC"))
	}
	return nil
}

// keep writes what the next check compares with, once all holds.
func (c *check) keep(context.Context) error {
	c.state.Head, c.state.Note, c.state.At = &c.report.Head, c.note, c.Clock.Now().UnixMicro()
	return c.state.write(c.State)
}
