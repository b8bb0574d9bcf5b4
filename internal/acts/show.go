package acts

import (
	"fmt"
	"slices"
	"strings"

	"parallax/internal/web"
	"parallax/opening"
	"parallax/signed"
)

// kindWords are what acts are called on pages.
var kindWords = map[string]string{opening.ActCapture: "Count and estimate", opening.ActAudit: "Record a check of links",
	opening.ActCounts: "Publish noised counts", opening.ActRelease: "Release", opening.ActIntervention: "Register an intervention"}

// Table shows acts of some kinds, newest first: what each would do and what it
// waits for. What an act says in full is shown at the desks that approve it.
func Table(list []Act, m opening.Manifest, kinds ...string) web.Table {
	t := web.Table{ID: "acts", Caption: "Proposed and approved", Columns: web.Cols("Act", "What", "State", "Approvals", "Proposed"),
		Empty: web.Empty{What: "Acts that need two people appear here.", When: "Somebody proposes one on this page or at a desk. An approver of the authority and one of the oversight body then sign it at their desks."},
		Note:  "Approve at a desk: parallax desk acts approve ACT --dir DESK"}
	for _, a := range list {
		if !slices.Contains(kinds, a.Kind) {
			continue
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{{Text: a.ID, Code: true}, {Text: kindWords[a.Kind], Note: a.about()},
			{Badges: []web.Badge{a.badge()}, Note: a.Reason}, web.T(a.approvedBy(m)), web.At(a.Proposed)}})
	}
	return t
}

// about is what an act is about, in a few words.
func (a Act) about() string {
	var c opening.CaptureAct
	var i opening.InterventionAct
	var l opening.AuditAct
	var r opening.ReleaseAct
	var n opening.CountsAct
	switch {
	case a.Kind == opening.ActCapture && signed.Unmarshal(a.Body, &c) == nil:
		return fmt.Sprintf("%s, %s, %d lists", c.Class.Label(), c.Quarter, len(c.Lists))
	case a.Kind == opening.ActAudit && signed.Unmarshal(a.Body, &l) == nil:
		return fmt.Sprintf("%s, of %s", l.Class.Label(), l.Date)
	case a.Kind == opening.ActCounts && signed.Unmarshal(a.Body, &n) == nil:
		return fmt.Sprintf("%s, %s", n.Class.Label(), n.Quarter)
	case a.Kind == opening.ActRelease && signed.Unmarshal(a.Body, &r) == nil:
		return r.Headline
	case a.Kind == opening.ActIntervention && signed.Unmarshal(a.Body, &i) == nil && i.Retrospective:
		return "retrospective"
	}
	return ""
}

func (a Act) badge() web.Badge {
	switch a.State {
	case Done:
		return web.Badge{Tone: web.Good, Text: "Done"}
	case Approved:
		return web.Badge{Tone: web.Wait, Text: "Approved, waits for the log"}
	case Refused:
		return web.Badge{Tone: web.Stop, Text: "Could not be done"}
	case Lapsed:
		return web.Badge{Tone: web.Stop, Text: "Lapsed"}
	default:
		return web.Badge{Tone: web.Wait, Text: "Proposed"}
	}
}

func (a Act) approvedBy(m opening.Manifest) string {
	var roles []string
	for _, o := range a.Approvals {
		if who, ok := m.Approver(o.Key); ok {
			roles = append(roles, who.Role)
		}
	}
	if len(roles) == 0 {
		return "none of 2"
	}
	return fmt.Sprintf("%d of 2: %s", len(roles), strings.Join(roles, ", "))
}
