package auditor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
	"parallax/tlog"
)

// Grouping is what opening every entry showed: whether what the hub groups and
// holds ready is what the logged observations give under the rule.
type Grouping struct {
	Entries      int64          `json:"entries"`  // opened and hashed to their commitments
	Unopened     int64          `json:"unopened"` // whose opening the hub says was destroyed
	ByType       map[string]int `json:"by_type"`  // fillers are "filler"
	Observations int            `json:"observations"`
	Missing      int            `json:"missing"`   // logged, and not shown any more: deleted, or withheld
	Forbidden    int            `json:"forbidden"` // withdrawn, corrected or frozen
	Young        int            `json:"young"`     // not logged for the delay yet
	Opens        int            `json:"opens"`     // for which the rule holds
	// Unlisted open under the rule and the hub does not hold them ready; Listed
	// without grounds are the other way round.
	Unlisted  []seal.Label `json:"unlisted"`
	Ungrounds []seal.Label `json:"without_grounds"`
	// Reads is how many lines each desk's read log had at its newest head.
	Reads map[string]int `json:"reads"`
}

// audit is one run of opening a whole log.
type audit struct {
	c       *check
	out     *Grouping
	seen    map[seal.Label]observed
	denied  map[opening.Hash]bool // digests that the log holds
	denials opening.Denials
	claims  []client.AuditLead
	heads   map[string][]client.AnchoredReads // of desks' read logs
	now     time.Time
}

// observed is an observation that the log holds, verified.
type observed struct {
	header opening.Header
	fact   opening.Fact
	logged int64
}

// group opens every entry of the log as an auditor and re-runs the grouping.
func (c *check) group(ctx context.Context) error {
	if c.Auditor == nil {
		return nil
	}
	a := &audit{c: c, seen: map[seal.Label]observed{}, denied: map[opening.Hash]bool{}, heads: map[string][]client.AnchoredReads{}, now: c.Clock.Now(),
		out: &Grouping{ByType: map[string]int{}, Reads: map[string]int{}, Unlisted: []seal.Label{}, Ungrounds: []seal.Label{}}}
	c.report.Grouping = a.out
	for from := int64(0); from <= c.report.Head.Size; {
		page, err := a.page(ctx, from)
		if err != nil {
			return err
		}
		if from == c.report.Head.Size {
			if err := a.state(page); err != nil {
				return err
			}
			break
		}
		if from, err = a.entries(page, from); err != nil {
			return err
		}
	}
	if err := a.reads(); err != nil {
		return err
	}
	return a.compare()
}

func (a *audit) page(ctx context.Context, from int64) (client.AuditPage, error) {
	var page client.AuditPage
	m := a.c.report.manifest
	err := a.c.Auditor.Call(ctx, m.Hub.ID, a.c.Hub, client.PathAudit, client.AuditRequest{Size: a.c.report.Head.Size, From: from}, &page)
	if a.c.Opened != nil && err == nil {
		a.c.Opened(int(from), int(a.c.report.Head.Size))
	}
	return page, err
}

// entries checks a page of opened entries against the entries that were hashed
// into the signed root.
func (a *audit) entries(page client.AuditPage, from int64) (next int64, err error) {
	if want := min(client.AuditPageEntries, a.c.report.Head.Size-from); int64(len(page.Entries)) != want {
		return 0, fault.Newf(fault.Conflict, "The hub opened %d entries where %d were asked for.", len(page.Entries), want)
	}
	for i, e := range page.Entries {
		at := from + int64(i)
		if err := a.entry(e, a.c.entries[at]); err != nil {
			return 0, fault.Wrap(fault.Conflict, fmt.Sprintf("Entry %d of the log: %s.", at+1, err), err)
		}
	}
	return from + int64(len(page.Entries)), nil
}

func (a *audit) entry(e client.AuditEntry, commitment tlog.Hash) error {
	if e.Opening == nil {
		a.out.Unopened++
		return nil
	}
	if tlog.Commit(e.Opening.Nonce, e.Opening.Record) != commitment {
		return errors.New("what the hub shows is not what the entry commits to")
	}
	a.out.Entries++
	if len(e.Opening.Record) == 0 {
		a.out.ByType["filler"]++
		return nil
	}
	kind := typeOf(e.Opening.Record)
	a.out.ByType[kind]++
	switch kind {
	case "withdrawal", "correction":
		var r struct {
			Denial opening.Hash `json:"denial"`
		}
		if err := json.Unmarshal(e.Opening.Record, &r); err != nil {
			return err
		}
		a.denied[r.Denial] = true
	case "batch":
		return a.batch(e)
	case "reads-head":
		return a.readsHead(e.Opening.Record)
	}
	return nil
}

func (a *audit) batch(e client.AuditEntry) error {
	var rec opening.BatchRecord
	if err := signed.Unmarshal(e.Opening.Record, &rec); err != nil {
		return err
	}
	m := a.c.report.manifest
	member, ok := m.Member(rec.Org)
	if !ok || e.Batch == nil {
		return fmt.Errorf("it is a batch of %q, which the hub does not show or the manifest does not list", rec.Org)
	}
	root, err := seal.Root(e.Batch.Leaves)
	if err != nil || opening.Hash(root) != rec.Root {
		return errors.New("the batch's leaves are not those that the log holds")
	}
	if err := seal.VerifyBatch(member.Key, rec.Pool, rec.Epoch, rec.Org, rec.Root, e.Batch.Sig); err != nil {
		return fmt.Errorf("the batch is not signed by its organisation: %w", err)
	}
	leaves := make(map[seal.Leaf]bool, len(e.Batch.Leaves))
	for _, l := range e.Batch.Leaves {
		leaves[l] = true
	}
	for _, o := range e.Batch.Observations {
		h, label, err := o.Verify()
		if err != nil {
			return err
		}
		leaf, err := o.Leaf()
		if err != nil || !leaves[leaf] || h.Organisation != rec.Org || h.Pool != rec.Pool || h.Epoch != rec.Epoch {
			return errors.New("an observation is not one of the batch")
		}
		delete(leaves, leaf)
		a.seen[label] = observed{header: h, fact: h.Fact(label, m, a.now), logged: e.Batch.Logged}
	}
	a.out.Missing += len(leaves)
	a.out.Observations += len(e.Batch.Observations)
	return nil
}

// state takes the hub's claims: denials count only if signed, and if the log
// holds them.
func (a *audit) state(page client.AuditPage) error {
	m, g := a.c.report.manifest, a.c.report.setup.Plan.Governance
	for _, o := range page.Denials {
		d, err := opening.OpenDenial(m, g, o)
		if err != nil {
			return fault.Wrap(fault.Conflict, "A withdrawal or correction that the hub shows is not signed by who may: "+err.Error()+".", err)
		}
		if !a.denied[opening.Digest(o.Body)] {
			continue // newer than the log that is audited
		}
		a.denials.Apply(d, "")
	}
	a.claims = page.Leads
	return nil
}

// compare applies to each observation the rule that it was contributed under.
func (a *audit) compare() error {
	opens := a.opens()
	listed := map[seal.Label]bool{}
	for _, l := range a.claims {
		for _, label := range l.Labels {
			listed[label] = true
			if l.State == "ready" && !opens[label] {
				a.out.Ungrounds = append(a.out.Ungrounds, label)
			}
		}
	}
	for label := range opens {
		if !listed[label] {
			a.out.Unlisted = append(a.out.Unlisted, label)
		}
	}
	sortLabels(a.out.Unlisted)
	sortLabels(a.out.Ungrounds)
	if n, k := len(a.out.Ungrounds), len(a.out.Unlisted); n+k > 0 {
		return fault.Newf(fault.Conflict, "The hub's grouping is not what the log gives: it holds %d observations ready for which the rule does not hold, and does not list %d for which it does. A tick under way can explain few of them: check again in a few minutes.", n, k)
	}
	a.c.did("grouping: every entry opened (%d, %d of them fillers), %d observations of %d batches verified; the rule holds for %d, exactly those that the hub holds ready or has asked for",
		a.out.Entries, a.out.ByType["filler"], a.out.Observations, a.out.ByType["batch"], a.out.Opens)
	if a.out.Unopened > 0 || a.out.Missing > 0 {
		a.c.did("not shown: %d entries and %d observations; the hub says that they were deleted. Compare with the deletions that were ordered", a.out.Unopened, a.out.Missing)
	}
	return nil
}

func (a *audit) opens() map[seal.Label]bool {
	m := a.c.report.manifest
	delay := time.Duration(m.Delays.OpenSeconds) * time.Second
	byTag := map[string][]opening.Fact{}
	var seasoned []seal.Label
	for label, o := range a.seen {
		member, ok := m.Member(o.header.Organisation)
		switch {
		case a.denials.Forbids(o.header.Organisation, label):
			a.out.Forbidden++
			continue
		case !ok || member.Status != opening.Active || member.Sector != o.header.Sector || len(o.fact.Tags) == 0:
			continue
		case o.logged == 0 || a.now.Before(time.UnixMicro(o.logged).Add(delay)):
			a.out.Young++
			continue
		}
		seasoned = append(seasoned, label)
		for _, t := range o.fact.Tags {
			if t.Person {
				byTag[t.Tag] = append(byTag[t.Tag], o.fact)
			}
		}
	}
	out := map[seal.Label]bool{}
	for _, label := range seasoned {
		o := a.seen[label]
		rule, ok := m.Rule(o.header.Rule)
		if ok && opening.Decide(rule, o.fact, sharing(o.fact, byTag), a.now).Open {
			out[label] = true
		}
	}
	a.out.Opens = len(out)
	return out
}

// sharing are the facts that share a person tag with one, each once.
func sharing(f opening.Fact, byTag map[string][]opening.Fact) []opening.Fact {
	var out []opening.Fact
	once := map[string]bool{}
	for _, t := range f.Tags {
		for _, other := range byTag[t.Tag] {
			if !once[other.ID] {
				once[other.ID] = true
				out = append(out, other)
			}
		}
	}
	return out
}

func sortLabels(list []seal.Label) {
	sort.Slice(list, func(i, j int) bool { return string(list[i][:]) < string(list[j][:]) })
}

// typeOf is what kind of act a record is of; a released figure has none.
func typeOf(raw []byte) string {
	var r struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(raw, &r) != nil || r.Type == "" {
		return "other"
	}
	return r.Type
}
