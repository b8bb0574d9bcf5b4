package estimate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
)

// Methods are the names of the panel's members, in the order in which they are
// printed.
var Methods = []string{"chapman", "chao_mth", "loglinear_main", "stepwise", "bic", "aic", "dga", "lcmcr"}

// An Audit is what a clerical check of links found.
type Audit struct {
	AgeDays int     // since the check
	Low     float64 // lower limit of the chance that records of one person are linked
}

// Options of a panel. The zero value runs every method.
type Options struct {
	Seed     uint64
	Methods  []string  // the members to run; none means all
	MaxOrder int       // the largest interaction that bic and aic may choose; 0 means 2
	Carry    []float64 // by list: chance that a record carries the shared selector; none means always
	Audited  []int     // by list: links that the audit behind Carry checked; none takes the carry as certain
	Strata   []Stratum // parts of the table, to be estimated one by one too
	Brief    bool      // leave out what does not bear on the verdict
	Ordered  bool      // the lists are periods in the order of time: test for a trap response
	Audit    *Audit
	Reps     int                   // resamples of each bootstrap; 0 means 1000
	Top      int                   // best models among which bic and aic choose again in each resample; 0 means 50
	Progress func(done, total int) // called from several goroutines
}

// A Member is one method's row. Estimate is nil where the member is withheld;
// Notes then say why.
type Member struct {
	Method   string   `json:"method"`
	Estimate *float64 `json:"estimate"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Model    string   `json:"model"`
	Notes    string   `json:"notes"`

	unsound bool    // a log-linear fit that does not exist or is not identified
	unseen  float64 // of a fit through missed links, whose records are not people
}

// A Gate is one condition of publication.
type Gate struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"`
}

// Verdicts.
const (
	Publish   = "publish"
	RangeOnly = "range_only"
	Refuse    = "refuse"
)

// A Report is a panel with everything that a reader needs to doubt it.
type Report struct {
	N           int           `json:"n"`
	Lists       []string      `json:"lists"`
	Panel       []Member      `json:"panel"`
	Range       []float64     `json:"range"` // lowest and highest admissible point; nil where there is none
	Verdict     string        `json:"verdict"`
	Headline    string        `json:"headline"`
	Reasons     []string      `json:"reasons"`
	Gates       []Gate        `json:"gates"`
	Warnings    []string      `json:"warnings"`
	Sensitivity []SensitiveTo `json:"sensitivity"`
	LeaveOneOut []Variation   `json:"leave_one_out"`
	Merges      []Variation   `json:"merges"`
	Consistency []Consistency `json:"internal_consistency"`
	Trajectory  []Thinned     `json:"trajectory"` // stepwise on random parts of the records
	Simulated   *Coverage     `json:"simulated_coverage"`
	Stratified  *StrataSum    `json:"stratified,omitempty"`
	Mixture     *Mixture      `json:"mixture"`
	AtLeast     int           `json:"at_least"` // people at the very least: fewer than the records where links are missed
	Trap        *TrapResponse `json:"trap_response,omitempty"`
	Blindness   []BlindRow    `json:"blindness"` // what no gate can see, from simulated worlds
	TopModels   []TopRow      `json:"bic_top_models"`
	RHat        *float64      `json:"lcmcr_rhat"`
	ESS         *float64      `json:"lcmcr_ess"`
	Seed        uint64        `json:"seed"`
}

// SensitiveTo is the sensitivity table of one member.
type SensitiveTo struct {
	Method string        `json:"method"`
	Rows   []Sensitivity `json:"rows"`
}

// TopRow is the interval of the BIC choice repeated among the best models.
type TopRow struct {
	Models int      `json:"models"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
}

// MaxLinkedLists is for how many lists missed links can be corrected: above, one
// fit is too dear to repeat in every resample.
const MaxLinkedLists = bcaMaxLists

// Sizes of the panel's runs.
const (
	panelReps    = 1000
	panelTop     = 50
	linkedReps   = 300
	panelSweeps  = 1000 // units of progress for the sampler
	bcaMaxLists  = 8    // above, one fit is too dear to repeat a thousand times
	lcmcrMaxWork = 2000 // distinct histories times lists that the sampler takes on
)

// Run makes the report of a table. It refuses bad options; whatever a table
// holds, the answer is a report with a verdict.
func Run(ctx context.Context, t Table, o Options) (Report, error) {
	if err := o.check(t.K()); err != nil {
		return Report{}, err
	}
	p := &panel{ctx: ctx, t: t, o: o, r: Report{N: t.N(), Lists: t.Lists, Seed: o.Seed, Reasons: []string{}, Warnings: []string{}}}
	p.total = int64(3*o.Reps + panelSweeps + 10)
	for _, m := range Methods {
		if len(o.Methods) > 0 && !slices.Contains(o.Methods, m) {
			continue
		}
		p.run(m)
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
	}
	p.r.Consistency = InternalConsistency(t)
	if t.K() <= bcaMaxLists && !o.Brief {
		p.robustness()
	}
	if o.Ordered {
		trap, err := t.trapResponse()
		if err != nil {
			return Report{}, err
		}
		p.r.Trap = &trap
	}
	p.conclude()
	p.step(int(p.total))
	return p.r, ctx.Err()
}

func (o *Options) check(k int) error {
	if o.MaxOrder == 0 {
		o.MaxOrder = 2
	}
	if o.Reps == 0 {
		o.Reps = panelReps
	}
	if o.Top == 0 {
		o.Top = panelTop
	}
	if o.Top < 1 || o.Top > MaxModels {
		return fmt.Errorf("the best %d models; give 1 to %d", o.Top, MaxModels)
	}
	if o.Reps < 20 || o.Reps > 100_000 {
		return fmt.Errorf("%d resamples; give 20 to 100000", o.Reps)
	}
	if o.MaxOrder < 1 || o.MaxOrder > MaxLists {
		return fmt.Errorf("the largest interaction is %d; it must be between 1 and %d", o.MaxOrder, MaxLists)
	}
	for _, m := range o.Methods {
		if !slices.Contains(Methods, m) {
			return fmt.Errorf("there is no method %q; the methods are %s", m, strings.Join(Methods, ", "))
		}
	}
	switch {
	case o.Carry == nil && o.Audited == nil:
		return nil
	case o.Carry == nil:
		return errors.New("audited links say how sure the carry is; give the carry too")
	case k > MaxLinkedLists:
		return fmt.Errorf("missed links can be corrected for up to %d lists; merge lists that serve the same people", MaxLinkedLists)
	}
	if err := CheckCarry(o.Carry, k); err != nil || o.Audited == nil {
		return err
	}
	return CheckAudited(o.Audited, k)
}

// Sizes of the diagnostics.
const (
	thinnedReps = 40
	simulations = 100
)

// robustness repeats the stepwise estimate on other cuts of the table.
func (p *panel) robustness() {
	p.r.LeaveOneOut, p.r.Merges = LeaveOneOut(p.t), Merges(p.t)
	p.r.Trajectory = Trajectory(p.ctx, p.t, thinnedReps, p.o.Seed)
	if fit, err := Stepwise(p.t, StepwiseP); err == nil && finite(fit.N) && fit.N < MaxCount {
		if c, err := SimulatedCoverage(p.ctx, p.t, fit, simulations, p.o.Seed); err == nil {
			p.r.Simulated = &c
		}
	}
	if len(p.o.Strata) > 0 {
		s := Stratified(p.o.Strata)
		p.r.Stratified = &s
	}
}

// panel collects the members of one report.
type panel struct {
	ctx   context.Context
	t     Table
	o     Options
	r     Report
	all   []Fit // every model of the search, fitted once for both criteria
	done  atomic.Int64
	total int64
}

func (p *panel) step(n int) {
	if p.o.Progress != nil {
		p.o.Progress(int(min(p.done.Add(int64(n)), p.total)), int(p.total))
	}
}

func (p *panel) tick() { p.step(1) }

// add appends a row; a bound or point that is not finite is left out.
func (p *panel) add(method string, e Estimate, model, notes string) {
	p.r.Panel = append(p.r.Panel, Member{Method: method, Estimate: number(e.Point), Low: number(e.Low), High: number(e.High), Model: model, Notes: notes})
}

func (p *panel) withhold(method string, err error) {
	p.r.Panel = append(p.r.Panel, Member{Method: method, Notes: "withheld: " + err.Error(),
		unsound: errors.Is(err, errNoEstimate) || errors.Is(err, errNotUnique) || errors.Is(err, errDiverged)})
}

var errNoLinkForm = errors.New("no form for missed links; it can be run without the correction")

func (p *panel) run(method string) {
	if p.o.Carry != nil && slices.Contains([]string{"chao_mth", "dga", "lcmcr"}, method) {
		p.withhold(method, errNoLinkForm)
		return
	}
	switch method {
	case "chapman":
		p.chapman()
	case "chao_mth":
		p.chao()
	case "loglinear_main":
		p.main()
	case "stepwise":
		p.stepwise()
	case "bic":
		p.search(BIC)
	case "aic":
		p.search(AIC)
	case "dga":
		p.dga()
	case "lcmcr":
		p.lcmcr()
	}
}

func (p *panel) chapman() {
	for i := range p.t.Lists {
		for j := i + 1; j < p.t.K(); j++ {
			e := Chapman(p.t, i, j)
			note := "two lists only; assumes they are independent and reach everybody alike"
			if p.o.Carry != nil {
				link := p.o.Carry[i] * p.o.Carry[j]
				e = Estimate{e.Point * link, e.Low * link, e.High * link}
				note += "; corrected for missed links"
			}
			if p.t.On(1<<i|1<<j) == 0 {
				note += "; the lists share nobody, so this says little"
			}
			p.add("chapman", e, p.t.Lists[i]+"|"+p.t.Lists[j], note)
		}
	}
}

func (p *panel) chao() {
	point, se, err := ChaoMth(p.t)
	if err != nil {
		p.withhold("chao_mth", err)
		return
	}
	p.add("chao_mth", Estimate{point, max(point-z95*se, float64(p.r.N)), math.Inf(1)}, "Mth", "a lower bound where people differ in how easily they are seen; outside the range")
}

// linked fits a model through the missed links.
func (p *panel) linked(method string, m Model, note string) {
	y := make([]float64, 1<<p.t.K())
	for _, c := range p.t.Cells {
		y[c.History] = float64(c.Count)
	}
	fit, err := LinkedFit(y, p.o.Carry, m)
	if err != nil {
		p.withhold(method, err)
		return
	}
	w := math.Exp(z95 * fit.SE)
	e := Estimate{fit.N, fit.N / w, fit.N * w}
	note += "corrected for missed links by a composite link; the interval takes the model and the carry as given"
	if p.o.Audited != nil {
		var lost float64
		if e, lost, err = LinkedBootstrap(p.ctx, p.t, p.o.Carry, p.o.Audited, m, linkedReps, p.o.Seed); err != nil {
			p.withhold(method, err)
			return
		}
		e.Point = fit.N
		note = strings.Replace(note, "and the carry as given", "as given and draws the carry anew from its audit", 1)
		if lost > 0 {
			note += fmt.Sprintf("; %.1f %% of the resamples had no estimate", 100*lost)
		}
	}
	p.add(method, e, m.name(p.t.K()), note)
	p.r.Panel[len(p.r.Panel)-1].unseen = fit.Unseen
}

func (p *panel) main() {
	const assumes = "assumes lists are independent of each other"
	if p.o.Carry != nil {
		p.linked("loglinear_main", nil, assumes+"; ")
		return
	}
	fit, err := Main(p.t)
	if err != nil {
		p.withhold("loglinear_main", err)
		return
	}
	p.conditional("loglinear_main", fit, assumes)
}

// conditional adds a row whose interval takes the model as given.
func (p *panel) conditional(method string, fit Fit, notes string) {
	e, err := Profile(p.t, fit.Model)
	if err != nil {
		p.withhold(method, err)
		return
	}
	e.Point = fit.N
	p.add(method, e, fit.Model.name(p.t.K()), notes+"; profile-likelihood interval, which takes the model as given")
}

func (p *panel) stepwise() {
	const assumes = "pairs enter by the surprise of their overlap (p < 0.02)"
	fit, err := Stepwise(p.t, StepwiseP)
	switch {
	case err != nil:
		p.withhold("stepwise", err)
	case p.o.Carry != nil:
		p.linked("stepwise", fit.Model, assumes+", chosen as if links were perfect; ")
	case p.t.K() > bcaMaxLists:
		p.conditional("stepwise", fit, assumes)
	default:
		b, err := StepwiseBCa(p.ctx, p.t, StepwiseP, p.o.Reps, p.o.Seed, p.tick)
		if err != nil {
			return
		}
		p.add("stepwise", b.Estimate, fit.Model.name(p.t.K()), assumes+b.note(p.o.Reps))
	}
}

// note says how a bootstrap interval came about.
func (b BCaResult) note(reps int) string {
	s := fmt.Sprintf("; BCa interval from %d resamples, each with its own choice of model", reps)
	if b.Lost > 0 {
		s += fmt.Sprintf("; %.1f %% of them had no estimate", 100*b.Lost)
	}
	return s
}

func (p *panel) search(by Criterion) {
	method := by.String()
	if p.all == nil {
		all, err := fitAll(p.ctx, p.t, p.o.MaxOrder)
		if err != nil {
			p.withhold(method, err)
			return
		}
		p.all = all
	}
	best, err := newFitter(p.t).bestSound(slices.Clone(p.all), p.o.Top, by)
	note := fmt.Sprintf("best of %d models to order %d", len(p.all), p.o.MaxOrder)
	switch {
	case err != nil:
		p.withhold(method, err)
		return
	case p.o.Carry != nil:
		p.linked(method, best[0].Model, note+", chosen as if links were perfect; ")
		return
	}
	rows, err := TopBCa(p.ctx, p.t, best, by, p.o.Reps, p.o.Seed, p.tick)
	if err != nil {
		return
	}
	last := rows[len(rows)-1]
	p.add(method, last.Estimate, best[0].Model.name(p.t.K()), fmt.Sprintf("%s%s among the best %d", note, last.note(p.o.Reps), len(best)))
	for _, m := range []int{1, 2, 5, 10, 20, 50} {
		if by == BIC && m <= len(rows) {
			p.r.TopModels = append(p.r.TopModels, TopRow{m, number(rows[m-1].Low), number(rows[m-1].High)})
		}
	}
}

func (p *panel) dga() {
	r, err := DGA(p.ctx, p.t, DGAOptions{})
	if err != nil {
		p.withhold("dga", err)
		return
	}
	p.add("dga", r.Estimate, r.Models[0].Name, fmt.Sprintf("median over all decomposable graphs; the named one weighs %.0f %%", 100*r.Models[0].Probability))
	p.step(10)
}

func (p *panel) lcmcr() {
	work := len(p.t.Cells) * p.t.K()
	switch {
	case p.t.K() < 3:
		p.withhold("lcmcr", errors.New("latent classes need three lists"))
		return
	case work > lcmcrMaxWork:
		p.withhold("lcmcr", fmt.Errorf("%d distinct histories of %d lists are too many to sample in reasonable time", len(p.t.Cells), p.t.K()))
		return
	}
	last := 0.0
	r, err := LCMCR(p.ctx, p.t, LCMCROptions{Seed: p.o.Seed}, func(share float64) {
		p.step(int((share - last) * panelSweeps))
		last = share
	})
	if err != nil {
		return
	}
	p.r.RHat, p.r.ESS = number(r.RHat), number(r.ESS)
	if !r.Converged {
		p.withhold("lcmcr", fmt.Errorf("the chains disagree (R-hat %.2f, at most %.2f; effective sample size %.0f, at least %d): the posterior has several modes", r.RHat, MaxRHat, r.ESS, MinESS))
		return
	}
	note := fmt.Sprintf("median of a latent-class posterior; R-hat %.3f, effective sample size %.0f", r.RHat, r.ESS)
	if r.Bound > 0 {
		note += fmt.Sprintf("; the prior's bound of 20 n on the unseen met in %.2g of the draws", r.Bound)
	}
	p.add("lcmcr", r.Estimate, "10 classes", note)
}
