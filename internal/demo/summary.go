package demo

import (
	"fmt"
	"io"
	"math"

	"parallax/internal/sim"
)

// Recall is the share of all simulated offenders. Joint and Pool come from what
// the running pool opened, the others from the scorer over the same exports.
type Recall struct {
	BestSingle          float64 `json:"best_single"`
	Union               float64 `json:"union"`
	Joint               float64 `json:"joint"`
	JointPerfectLinkage float64 `json:"joint_perfect_linkage"`
	Pool                float64 `json:"pool"`
	JointTwoEntities    float64 `json:"joint_two_entities"`
	JointFullClosure    float64 `json:"joint_full_closure"`
}

// Ratios are recalls divided by that of the union of all single organisations;
// 0 where the union finds nobody.
type Ratios struct {
	Joint            float64 `json:"joint"`
	JointTwoEntities float64 `json:"joint_two_entities"`
	JointFullClosure float64 `json:"joint_full_closure"`
	Perfect          float64 `json:"joint_perfect_linkage"`
}

// Scorer is what the simulator's own scorer expects of the pool, beside what
// the pool did.
type Scorer struct {
	LeadsReady int     `json:"leads_ready"`
	Pool       float64 `json:"pool"`
	Joint      float64 `json:"joint"`
	Agrees     bool    `json:"agrees"`
}

// LogCheck is the transparency log at the end.
type LogCheck struct {
	Size     int64 `json:"size"`
	Verified bool  `json:"verified"`
}

// A Summary is what one run comes to. Only Seconds differ between two runs of
// the same seed.
type Summary struct {
	Seed          uint64 `json:"seed"`
	Actors        int    `json:"actors"`
	Organisations int    `json:"organisations"` // that contributed
	Observations  int    `json:"observations"`
	Contributions int    `json:"contributions"`
	Selectors     int    `json:"selectors"` // distinct forms at each desk, summed
	LeadsReady    int    `json:"leads_ready"`
	// LeadsWithdrawn went when a member took back the planted false lead's row.
	LeadsWithdrawn       int                `json:"leads_withdrawn"`
	LeadsOpened          int                `json:"leads_opened"`
	ObservationsOpened   int                `json:"observations_opened"`
	Recall               Recall             `json:"recall"`
	RatioToUnion         Ratios             `json:"ratio_to_union"`
	FalseLeadsPerMillion float64            `json:"false_leads_per_million"`
	Scorer               Scorer             `json:"scorer"`
	Log                  LogCheck           `json:"log"`
	Seconds              map[string]float64 `json:"seconds"`
}

// score sets what the pool opened against the truth and beside the scorer.
func (sum *Summary) score(d *sim.Data, opened []sim.Ref) error {
	got, err := d.ScoreOpened(opened)
	if err != nil {
		return err
	}
	want := d.Score()
	r := want.Recall
	sum.ObservationsOpened = len(opened)
	sum.FalseLeadsPerMillion = got.FalseLeadsPerMillion
	sum.Recall = Recall{BestSingle: r.BestSingle, Union: r.Union, Joint: got.Joint, JointPerfectLinkage: r.JointPerfectLinkage,
		Pool: got.Pool, JointTwoEntities: r.JointTwoEntities, JointFullClosure: r.JointFullClosure}
	ratio := func(x float64) float64 {
		if r.Union == 0 {
			return 0
		}
		return math.Round(x/r.Union*10_000) / 10_000
	}
	sum.RatioToUnion = Ratios{ratio(got.Joint), ratio(r.JointTwoEntities), ratio(r.JointFullClosure), ratio(r.JointPerfectLinkage)}
	sum.Scorer = Scorer{LeadsReady: want.LeadsReady, Pool: r.Pool, Joint: r.Joint,
		Agrees: want.LeadsReady == sum.LeadsReady && r.Pool == got.Pool && r.Joint == got.Joint}
	return nil
}

// Text writes the summary for a person.
func (sum Summary) Text(w io.Writer) {
	fmt.Fprintf(w, "Simulated world, seed %d, %d actors. %d organisations contributed %d observations.\n", sum.Seed, sum.Actors, sum.Organisations, sum.Observations)
	fmt.Fprintf(w, "%d leads were ready, %d went when a member withdrew a mistaken row, %d were opened.\n", sum.LeadsReady, sum.LeadsWithdrawn, sum.LeadsOpened)
	fmt.Fprintf(w, "Found, of all simulated offenders: best single organisation %.2f %%, union of singles %.2f %%, joint %.2f %%.\n",
		100*sum.Recall.BestSingle, 100*sum.Recall.Union, 100*sum.Recall.Joint)
	agree := "as the scorer expects"
	if !sum.Scorer.Agrees {
		agree = fmt.Sprintf("while the scorer expects %.2f %% from %d leads", 100*sum.Scorer.Joint, sum.Scorer.LeadsReady)
	}
	fmt.Fprintf(w, "That is %.3f times the union, %s. False leads per million innocent people: %.1f.\n", sum.RatioToUnion.Joint, agree, sum.FalseLeadsPerMillion)
	fmt.Fprintf(w, "The log has %d entries; checkpoint, witnesses and %d receipts verified: %t. It took %.0f s.\n", sum.Log.Size, sum.Contributions, sum.Log.Verified, sum.Seconds["total"])
}
