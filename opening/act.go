package opening

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"parallax/selector"
	"parallax/signed"
)

// Domains of what is signed about statistics. An approval of an act can never
// pass for the approval of an opening, nor the other way round.
const (
	actDomain         = "parallax/act/v1"
	ActApprovalDomain = "parallax/act-approval/v1"
)

// MaxActLife is how long a proposed act may wait for its approvals.
const MaxActLife = 14 * 24 * time.Hour

// PurposeStatistics is the one purpose of an act: nothing is opened by it.
const PurposeStatistics = "statistics"

// Kinds of acts. Each takes one approver of the authority and one of an
// unrelated oversight body, and is in the log before it takes effect.
const (
	ActCapture      = "capture"       // count capture histories and estimate
	ActAudit        = "linkage-audit" // record a clerical check of links
	ActRelease      = "release"       // publish an estimate
	ActCounts       = "counts"        // publish noised counts of one quarter
	ActIntervention = "intervention"  // register an intervention and evaluate it
)

// An Act is a proposal about statistics that two people of different bodies
// sign. Its exact bytes are what they sign: any edit voids their approvals.
type Act struct {
	Kind     string `json:"kind"`
	Pool     string `json:"pool"`
	Epoch    string `json:"epoch"`
	Manifest int    `json:"manifest"`
	Proposer string `json:"proposer"` // who wrote it down; carries no right
	Purpose  string `json:"purpose"`
	Body     []byte `json:"body"` // canonical JSON of the kind's own type
	Nonce    Hash   `json:"nonce"`
	Time     int64  `json:"time"`
	Expires  int64  `json:"expires"`
}

// An ActApproval is signed under ActApprovalDomain.
type ActApproval struct {
	Approver string `json:"approver"`
	Act      Hash   `json:"act"`
	Time     int64  `json:"time"`
}

// ActDigest names an act: SHA-256 over its domain and its canonical bytes.
func ActDigest(raw []byte) Hash { return Digest(append([]byte(actDomain+"\x00"), raw...)) }

// OpenAct reads an act in its one canonical form and checks that it is for this
// pool under the manifest in force.
func OpenAct(m Manifest, raw []byte) (Act, Hash, error) {
	var a Act
	if err := signed.Unmarshal(raw, &a); err != nil {
		return a, Hash{}, fmt.Errorf("act: %w", err)
	}
	switch {
	case a.Pool != m.Pool || a.Epoch != m.Epoch:
		return a, Hash{}, errors.New("the act is for another pool or epoch")
	case a.Manifest != m.Version:
		return a, Hash{}, fmt.Errorf("the act was proposed under policy version %d, in force is %d; propose it anew", a.Manifest, m.Version)
	case a.Purpose != PurposeStatistics:
		return a, Hash{}, fmt.Errorf("the purpose of an act is %q, not %q", PurposeStatistics, a.Purpose)
	case a.Expires <= a.Time || a.Expires-a.Time > MaxActLife.Microseconds():
		return a, Hash{}, errors.New("the act is valid for more than 14 days, or not at all")
	}
	return a, ActDigest(raw), nil
}

// OpenActApproval verifies one approval of the act with this digest.
func OpenActApproval(m Manifest, o signed.Object, a Act, digest Hash) (Approver, ActApproval, error) {
	var body ActApproval
	who, ok := m.Approver(o.Key)
	if !ok {
		return who, body, fmt.Errorf("%q is no approver of this pool", o.Key)
	}
	if err := o.Open(ActApprovalDomain, who.Key, &body); err != nil {
		return who, body, err
	}
	switch {
	case body.Approver != o.Key:
		return who, body, errors.New("it names another approver than the one who signed it")
	case body.Act != digest:
		return who, body, errors.New("it approves another act")
	case body.Time < a.Time-signed.Window.Microseconds() || body.Time >= a.Expires:
		return who, body, errors.New("it is dated before the act was proposed or after it lapsed")
	}
	return who, body, nil
}

// ApprovedAct verifies an act with its approvals: one approver of the authority
// and one of the oversight body, which are different bodies by the manifest.
func ApprovedAct(m Manifest, raw []byte, approvals []signed.Object) (Act, Hash, error) {
	a, digest, err := OpenAct(m, raw)
	if err != nil {
		return a, digest, err
	}
	entities := make(map[string]string)
	for i, o := range approvals {
		who, _, err := OpenActApproval(m, o, a, digest)
		if err != nil {
			return a, digest, fmt.Errorf("approval %d: %w", i+1, err)
		}
		entities[who.Role] = who.Entity
	}
	if entities[RoleAuthority] == "" || entities[RoleOversight] == "" || entities[RoleAuthority] == entities[RoleOversight] {
		return a, digest, errors.New("the act needs one approval from the authority and one from an oversight body")
	}
	return a, digest, nil
}

// A CaptureAct asks for the capture histories of one selector class in one
// quarter, and for the estimate made from them.
type CaptureAct struct {
	Class   selector.Class `json:"class"`
	Quarter Quarter        `json:"quarter"`
	Lists   []ActList      `json:"lists"`
}

// An ActList is one list of a capture table. A list of several organisations is
// one of those that can never hold the same selector, such as the accounts of
// two banks: their overlap is impossible, which is not the same as empty.
type ActList struct {
	Name          string   `json:"name"`
	Organisations []string `json:"organisations"`
}

// Check refuses lists that cannot be estimated from.
func (c CaptureAct) Check() error {
	if c.Class.RuleVersion() == 0 {
		return fmt.Errorf("there is no selector class %q", c.Class)
	}
	if _, _, err := c.Quarter.Weeks(); err != nil {
		return err
	}
	if len(c.Lists) < 3 || len(c.Lists) > 16 {
		return fmt.Errorf("%d lists; an estimate needs 3 to 16 lists that could hold the class", len(c.Lists))
	}
	seen, names := map[string]bool{}, map[string]bool{}
	for _, l := range c.Lists {
		if !IsWord(l.Name) || names[l.Name] || len(l.Organisations) == 0 {
			return fmt.Errorf("list %q: every list has a name of its own, one lower-case word, and an organisation", l.Name)
		}
		names[l.Name] = true
		for _, o := range l.Organisations {
			if o == "" || seen[o] {
				return fmt.Errorf("list %s: organisation %q is named twice or not at all", l.Name, o)
			}
			seen[o] = true
		}
	}
	return nil
}

// An AuditAct records a clerical check of links: of true pairs that were looked
// at, how many the pool had linked.
type AuditAct struct {
	Class      selector.Class `json:"class"`
	Date       string         `json:"date"`        // day on which the check ended
	Pairs      int            `json:"pairs"`       // true pairs that were looked at
	Linked     int            `json:"linked"`      // of which the pool had linked
	LowPercent int            `json:"low_percent"` // lower 95 % limit of the share, rounded down
	By         string         `json:"by"`          // the body that looked
}

// A ReleaseAct publishes the figures of one run exactly as they stand in it.
type ReleaseAct struct {
	Run      string `json:"run"`
	Input    Hash   `json:"input"` // of the run's table
	Headline string `json:"headline"`
}

// A CountsAct publishes the noised counts of one quarter, once.
type CountsAct struct {
	Class   selector.Class `json:"class"`
	Quarter Quarter        `json:"quarter"`
}

// An InterventionAct registers an intervention at a venue. Venues are neutral
// codes. Neighbours, controls and window are fixed here and never change.
type InterventionAct struct {
	Class         selector.Class `json:"class"`
	Venue         string         `json:"venue"`
	Date          string         `json:"date"`      // the day on which it acts
	Announced     string         `json:"announced"` // the day on which it may have become known; may be empty
	Neighbours    []string       `json:"neighbours"`
	Controls      []string       `json:"controls"`
	Weeks         int            `json:"weeks"` // window before, 4 to 26
	Retrospective bool           `json:"retrospective"`
	See           []string       `json:"see"` // roles that may see it before it acts
}

// Check refuses a registration that no evaluation could rest on.
func (i InterventionAct) Check() error {
	if !i.Class.Person() {
		return fmt.Errorf("movement is followed by a class that names people; %q does not", i.Class)
	}
	day, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return errors.New("the date must be written as 2026-11-24")
	}
	if i.Announced != "" {
		if at, err := time.Parse(time.DateOnly, i.Announced); err != nil || at.After(day) {
			return errors.New("the announcement must be a day such as 2026-11-24, not after the intervention")
		}
	}
	if len(i.Neighbours) == 0 || len(i.Controls) == 0 || i.Weeks < 4 || i.Weeks > 26 {
		return errors.New("an intervention needs neighbours, controls and a window of 4 to 26 weeks, fixed beforehand")
	}
	all := slices.Concat([]string{i.Venue}, i.Neighbours, i.Controls)
	if len(all) > 16 {
		return fmt.Errorf("%d venues, at most 16 can be watched at once", len(all))
	}
	for n, v := range all {
		if !IsWord(v) || v == "other" || v == "gone" || v == "new" {
			return fmt.Errorf("venue %q: a venue is a neutral code, one lower-case word such as v07", v)
		}
		if slices.Contains(all[:n], v) {
			return fmt.Errorf("venue %s stands twice; a venue is the target, a neighbour or a control", v)
		}
	}
	if len(i.See) == 0 {
		return errors.New("say who may see the intervention before it acts")
	}
	return nil
}
