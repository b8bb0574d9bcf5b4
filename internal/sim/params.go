package sim

import (
	"fmt"

	"parallax/internal/fault"
)

// Params is everything that a world depends on. "Assumption" marks a value
// without a published source; docs/design/simulation.md sweeps those that matter.
type Params struct {
	Seed   uint64 `json:"seed"`
	Actors int    `json:"actors"` // offenders resident in the jurisdiction; 10,000 = 3 in 10,000 users (Bissias et al. 2016)
	// InnocentsPerActor: 1,000,000 innocent account holders beside 10,000 actors.
	InnocentsPerActor int    `json:"innocents_per_actor"`
	Start             string `json:"start"` // first day; project choice
	Days              int    `json:"days"`  // one key epoch of 12 months (sealed pool)

	// Career counts of paid events: 1 + Poisson(PaidMean x / mean x), x lognormal
	// with PaidSigma. Gives mean 10.6, top 3 % about half (AIC Trends & Issues 589).
	PaidMean  float64 `json:"paid_mean"`
	PaidSigma float64 `json:"paid_sigma"`
	// Days between payments: lognormal medians 20 (prolific) and 60 (AIC 589).
	GapProlific float64 `json:"gap_prolific"`
	GapOther    float64 `json:"gap_other"`
	GapSigma    float64 `json:"gap_sigma"`     // assumption
	ProlificAt  int     `json:"prolific_at"`   // career count from which a payer is prolific; assumption
	AmountMid   float64 `json:"amount_median"` // A$, lognormal (AIC 589/634, AUSTRAC)
	AmountSigma float64 `json:"amount_sigma"`  // assumption
	Escalation  float64 `json:"escalation"`    // growth of the amount per event (AIC 634)
	Outlier     float64 `json:"outlier"`       // share of events above A$1,000 (AIC 589)
	MemoPlain   float64 `json:"memo_plain"`    // share of innocuous memos (AUSTRAC)

	// Roles; the rest are downloaders, about 90 % (vd Bruggen 2022, da Cunha 2020).
	Communicating  float64 `json:"communicating"` // 3-7 %: upper end
	Suppliers      float64 `json:"suppliers"`
	Brokers        float64 `json:"brokers"`
	PayersPerPayee int     `json:"payers_per_payee"` // offshore payees (Chainalysis 2024)

	// Ways in which value moves; the shares are assumptions within published
	// ranges (IWF: 2-11 % commercial; WtV; Salovaara). The rest takes part free.
	PaysLive     float64 `json:"pays_live"`
	PaysCrypto   float64 `json:"pays_crypto"`
	Barter       float64 `json:"barter"`
	CryptoBarter float64 `json:"crypto_barter"` // share of crypto payers who also barter

	// Items of material are ids on a shared list; nothing else exists of them.
	Items     int     `json:"items"`      // assumption
	ItemZipf  float64 `json:"item_zipf"`  // assumption
	NewShare  float64 `json:"new_share"`  // share not on any list; assumption
	YearlyLow float64 `json:"yearly_low"` // mean events a year of a downloader; assumption
	YearlyMid float64 `json:"yearly_mid"` // of who communicates or barters; assumption
	YearlyTop float64 `json:"yearly_top"` // of suppliers and brokers; assumption
	// ActiveSigma is the lognormal skew of activity (posting skew: Blokland 2024).
	ActiveSigma float64 `json:"active_sigma"`

	// Aliases 1 to MaxAliases, geometric (multi-homing: Protect Children 2024).
	AliasMore  float64 `json:"alias_more"`
	MaxAliases int     `json:"max_aliases"`
	// Reuse is the chance that a new account takes the main e-mail or phone. The
	// most influential parameter and an assumption: sweep 0.3 to 0.9.
	Reuse  float64 `json:"reuse"`
	Rotate float64 `json:"rotate"` // share of contacts changed in a year; assumption
	Typo   float64 `json:"typo"`   // share of hand-typed cells with an error; assumption

	// Trappability: lognormal, mean 1, one draw per person for all observers.
	TrapSigma float64 `json:"trap_sigma"`
	// Hazards per event of a confirmed suspicion at mean trappability and
	// sensitivity 1. Assumptions, fixed before any score was computed.
	HazardBank     float64 `json:"hazard_bank"`
	HazardPlatform float64 `json:"hazard_platform"` // mean over the platforms
	HazardHotline  float64 `json:"hazard_hotline"`
	HazardFIU      float64 `json:"hazard_fiu"` // per cross-border payment
	// HazardScale multiplies every hazard of actors, for sweeps. Only 1 is the
	// default world; another value must be named beside every figure it gave.
	HazardScale float64 `json:"hazard_scale"`
	// Yearly chances per actor of an own record (2 %: reports against reach, ACCCE).
	YearlyPolice    float64 `json:"yearly_police"`
	YearlyRegulator float64 `json:"yearly_regulator"` // assumption
	CryptoSeen      float64 `json:"crypto_seen"`      // bank hazard factor of an exchange payment; assumption
	SecondBank      float64 `json:"second_bank"`      // share with accounts at two banks; assumption

	// CaseDays: detections on one account within this many days are one case
	// (the reporting practice of a quarter); assumption.
	CaseDays int     `json:"case_days"`
	Direct   float64 `json:"direct"` // share of listed-item matches confirmed as direct evidence; assumption
	Doubtful float64 `json:"doubtful"`

	DelayMax    int     `json:"delay_max"`     // days from case to lawful submission, uniform from 1 (gateway scenarios)
	Referral    float64 `json:"referral"`      // hotline reports on the police list (MSE dependence)
	SharedPhone float64 `json:"shared_phone"`  // households with one phone
	Misfiled    float64 `json:"misfiled"`      // rows of such a household filed under the other person; assumption
	Recycled    float64 `json:"recycled"`      // numbers that an innocent person now holds
	CaseAt      int     `json:"own_case_at"`   // points at which one organisation opens its own case; project policy
	PlantFalse  bool    `json:"planted_false"` // one false lead for a member to withdraw; never scored
}

// DefaultParams are the grounded parameters of a world.
func DefaultParams(seed uint64, actors int) Params {
	return Params{Seed: seed, Actors: actors, InnocentsPerActor: 100, Start: "2025-10-01", Days: 365,
		PaidMean: 9.6, PaidSigma: 2.0, GapProlific: 20, GapOther: 60, GapSigma: 1.0, ProlificAt: 50,
		AmountMid: 55, AmountSigma: 0.8, Escalation: 0.02, Outlier: 0.01, MemoPlain: 0.7,
		Communicating: 0.07, Suppliers: 0.005, Brokers: 0.002, PayersPerPayee: 25,
		PaysLive: 0.10, PaysCrypto: 0.05, Barter: 0.25, CryptoBarter: 0.2,
		Items: 20_000, ItemZipf: 1.1, NewShare: 0.05, YearlyLow: 24, YearlyMid: 40, YearlyTop: 150, ActiveSigma: 1.5,
		AliasMore: 0.5, MaxAliases: 6, Reuse: 0.6, Rotate: 0.10, Typo: 0.03,
		TrapSigma: 0.8, HazardBank: 0.05, HazardPlatform: 0.02, HazardHotline: 0.002, HazardFIU: 0.02, HazardScale: 1,
		YearlyPolice: 0.02, YearlyRegulator: 0.002, CryptoSeen: 0.3, SecondBank: 0.3,
		CaseDays: 90, Direct: 0.5, Doubtful: 0.02, DelayMax: 30, Referral: 0.3,
		SharedPhone: 0.005, Misfiled: 0.25, Recycled: 0.01, CaseAt: 5, PlantFalse: true}
}

// MaxActors is as many people as there are made-up phone numbers for, at 100
// innocent people beside each.
const MaxActors = 18_000

func (p Params) check() error {
	if p.Actors < 10 || p.Actors > MaxActors {
		return fault.New(fault.Invalid, fmt.Sprintf("actors must be 10 to %d, not %d", MaxActors, p.Actors))
	}
	if p.Days < 30 || p.MaxAliases < 1 || p.CaseDays < 1 || p.DelayMax < 1 || p.PayersPerPayee < 1 || p.InnocentsPerActor < 1 {
		return fault.New(fault.Invalid, "days must be at least 30 and aliases, case days, delay, payers per payee and innocents per actor at least 1")
	}
	if p.Actors*(numbersPerActor+numbersPerInnocent*p.InnocentsPerActor)+100 > numbers {
		return fault.New(fault.Invalid, "there are not enough made-up phone numbers for so many people; lower the actors or the innocents beside each")
	}
	for _, x := range []float64{p.Reuse, p.Rotate, p.Typo, p.AliasMore, p.Referral, p.SharedPhone, p.Misfiled, p.Recycled, p.Direct, p.Doubtful} {
		if !(x >= 0 && x <= 1) {
			return fault.New(fault.Invalid, "every share and chance must lie between 0 and 1")
		}
	}
	if !(p.HazardScale > 0 && p.HazardScale <= 100) {
		return fault.New(fault.Invalid, "the hazard scale must be above 0 and at most 100; 1 is the default world")
	}
	if p.Items < 1 || p.ItemZipf <= 1 {
		return fault.New(fault.Invalid, "items must be at least 1 and their Zipf exponent above 1")
	}
	_, err := p.date(0)
	return err
}
