package sim

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// A sighting is one confirmed detection before an organisation makes a case.
type sighting struct {
	org    string
	where  string // account on which cases are kept
	kind   string
	day    int
	direct bool
	fill   func(r *rand.Rand, row *Row, day int)
}

// observer collects what the organisations notice of one person.
type observer struct {
	w    *World
	r    *rand.Rand
	a    *actor
	seen []sighting
}

// detect draws one detection.
func (o *observer) detect(hazard float64) bool {
	return chance(o.r, min(1, hazard*o.w.Params.HazardScale*o.a.Trap))
}

func (w *World) observe(a *actor, r *rand.Rand) {
	o := &observer{w: w, r: r, a: a}
	o.payments()
	o.venues()
	o.records()
	w.cases(a, r, o.seen)
}

// payments walks the paid events inside the window.
func (o *observer) payments() {
	p, a := o.w.Params, o.a
	if a.Career == 0 {
		return
	}
	amount := around(o.r, p.AmountMid, p.AmountSigma)
	for i, day := range p.paymentDays(o.r, a.Career) {
		bank := a.Banks[o.r.IntN(len(a.Banks))]
		pay := o.payment(amount, i)
		o.w.count.Paid++
		hazard, cross := p.HazardBank, pay.channel == "international"
		if a.Crypto {
			hazard *= p.CryptoSeen
		}
		if org, ok := o.w.org(bank.Org); ok && o.detect(hazard*org.Sense) {
			kind := KindPayment
			if chance(o.r, 0.2) { // the way the account is used, not one payment; assumption
				kind = KindAccount
			}
			o.seen = append(o.seen, sighting{org: bank.Org, where: bank.Number, kind: kind, day: day, fill: o.bankRow(bank, pay)})
		}
		if cross && bank.Org != "" && o.detect(p.HazardFIU) {
			o.seen = append(o.seen, sighting{org: "fiu", where: bank.Number, kind: KindPayment, day: day, fill: o.fiuRow(bank, pay)})
		}
	}
}

type payment struct{ payee, channel, amount, memo string }

var memos = []string{"gift", "thanks", "family", "lunch", "course", "rent", "invoice", "tickets"}

func (o *observer) payment(first float64, i int) payment {
	p := o.w.Params
	amount := first * pow(1+p.Escalation, i) * skew(o.r, 0.3)
	if chance(o.r, p.Outlier) {
		amount = 1000 + around(o.r, 400, p.AmountSigma)
	}
	out := payment{payee: fmt.Sprintf("simpay:payee-%04d", 1+o.r.IntN(o.w.payees)), amount: strconv.FormatFloat(amount, 'f', 2, 64)}
	if chance(o.r, p.MemoPlain) {
		out.memo = memos[o.r.IntN(len(memos))]
	}
	switch {
	case o.a.Crypto:
		out.channel, out.payee = "exchange", "simpay:exchange-one"
	case chance(o.r, 0.5): // assumption: half of the transfers are reportable as cross-border
		out.channel = "international"
	default:
		out.channel = "payment-service"
	}
	return out
}

func pow(x float64, n int) float64 {
	out := 1.0
	for range min(n, 200) {
		out *= x
	}
	return out
}

func (o *observer) bankRow(b account, pay payment) func(*rand.Rand, *Row, int) {
	return func(r *rand.Rand, row *Row, day int) {
		fillBank(row, b, day)
		row.CustomerRef = "C" + b.Number[1:]
		row.CounterService, row.Amount, row.Channel, row.Memo = pay.payee, pay.amount, pay.channel, pay.memo
		row.Role = roleWord(r, o.a.Role)
	}
}

// Shares of what an FIU record of a transfer carries beside the account (assumptions).
func (o *observer) fiuRow(b account, pay payment) func(*rand.Rand, *Row, int) {
	return func(r *rand.Rand, row *Row, day int) {
		fillBank(row, b, day)
		keep(r, 0.3, &row.Email)
		keep(r, 0.3, &row.Phone)
		row.CounterService, row.Amount, row.Channel, row.Memo = pay.payee, pay.amount, pay.channel, pay.memo
		row.Role = roleWord(r, o.a.Role)
	}
}

func fillBank(row *Row, b account, day int) {
	row.BSB, row.AccountNumber, row.PayID, row.Service = b.BSB, b.Number, b.PayID, b.Service
	row.Email, row.Phone = b.Email.on(day), b.Phone.on(day)
}

// keep empties a cell unless the draw keeps it.
func keep(r *rand.Rand, p float64, cell *string) {
	if !chance(r, p) {
		*cell = ""
	}
}

// venues walks the events that are not payments.
func (o *observer) venues() {
	p, a := o.w.Params, o.a
	n := poisson(o.r, a.Yearly*float64(p.Days)/365)
	for range n {
		x := a.Aliases[o.r.IntN(len(a.Aliases))]
		day, kind := o.r.IntN(p.Days), o.eventKind()
		item := o.item()
		o.w.count.Other++
		if x.Venue.org != "" && o.detect(p.HazardPlatform*x.Venue.sense) {
			if kind == KindHash && item == "" { // not on a list: noticed by how it was passed
				kind = KindCommunication
			}
			o.seen = append(o.seen, sighting{org: x.Venue.org, where: x.AccountID, kind: kind, day: day,
				direct: kind == KindHash, fill: o.platformRow(x, item, kind)})
		}
		posted := a.Role == RoleSupplier || a.Role == RoleBroker || a.Role == RoleCommunicating || a.Barter
		if kind == KindHash && posted && o.detect(p.HazardHotline) {
			org := "hotline-a"
			if chance(o.r, o.w.hotlineB) {
				org = "hotline-b"
			}
			o.seen = append(o.seen, sighting{org: org, where: x.AccountID, kind: KindReport, day: day, fill: o.hotlineRow(x, item)})
		}
	}
}

// eventKind: who communicates does so half of the time (assumptions).
func (o *observer) eventKind() string {
	talk := 0.1
	if o.a.Role != RoleDownloader {
		talk = 0.5
	}
	switch x := o.r.Float64(); {
	case x < talk:
		return KindCommunication
	case x < talk+0.2:
		return KindAccess
	}
	return KindHash
}

// item is the id of a listed item, or empty for one on no list.
func (o *observer) item() string {
	if chance(o.r, o.w.Params.NewShare) {
		return ""
	}
	return fmt.Sprintf("simlist:%06d", 1+rand.NewZipf(o.r, o.w.Params.ItemZipf, 1, uint64(o.w.Params.Items-1)).Uint64())
}

func (o *observer) platformRow(x alias, item, kind string) func(*rand.Rand, *Row, int) {
	return func(r *rand.Rand, row *Row, day int) {
		fillAlias(row, x, day)
		row.Event = kind
		row.URL = "https://" + x.Venue.name + "-sim.net/u/" + x.AccountID
		if kind == KindHash {
			row.HashList = item
		}
		if chance(r, 0.2) { // benchmark range: stopped by the warning list on purpose, never anybody's
			row.IP = fmt.Sprintf("198.18.%d.%d", r.IntN(256), 1+r.IntN(254))
		}
		row.Role = roleWord(r, o.a.Role)
	}
}

func fillAlias(row *Row, x alias, day int) {
	row.Platform, row.Username, row.AccountID = x.Venue.name, x.Username, x.AccountID
	row.Email, row.Phone = x.Email.on(day), x.Phone.on(day)
}

// A hotline's report names a page and sometimes who posted it (assumed shares).
func (o *observer) hotlineRow(x alias, item string) func(*rand.Rand, *Row, int) {
	return func(r *rand.Rand, row *Row, day int) {
		row.Domain = x.Venue.name + "-sim.net"
		row.URL = fmt.Sprintf("https://%s/p/%06d", row.Domain, r.IntN(1_000_000))
		row.HashList = item
		if chance(r, 0.4) {
			row.Platform, row.Username = x.Venue.name, x.Username
		}
		if chance(r, 0.2) {
			row.Email = x.Email.on(day)
		}
		row.Role = roleWord(r, o.a.Role)
	}
}

// records draws the own records of police and regulator.
func (o *observer) records() {
	p := o.w.Params
	years := float64(p.Days) / 365 * p.HazardScale
	for range poisson(o.r, p.YearlyPolice*years*o.a.Trap) {
		o.seen = append(o.seen, sighting{org: "police", where: "own", kind: KindRecord, day: o.r.IntN(p.Days), direct: true, fill: o.policeRow()})
	}
	for range poisson(o.r, p.YearlyRegulator*years*o.a.Trap) {
		x := o.a.Aliases[o.r.IntN(len(o.a.Aliases))]
		fill := o.hotlineRow(x, "")
		o.seen = append(o.seen, sighting{org: "regulator", where: x.AccountID, kind: KindReport, day: o.r.IntN(p.Days), fill: fill})
	}
}

// A police record holds what an inquiry found (assumed shares).
func (o *observer) policeRow() func(*rand.Rand, *Row, int) {
	return func(r *rand.Rand, row *Row, day int) {
		x := o.a.Aliases[r.IntN(len(o.a.Aliases))]
		row.Email, row.Phone = o.a.Email.on(day), o.a.Phone.on(day)
		row.Platform, row.Username = x.Venue.name, x.Username
		keep(r, 0.6, &row.Email)
		keep(r, 0.7, &row.Phone)
		keep(r, 0.6, &row.Username)
		if b := o.a.Banks[0]; b.Org != "" && chance(r, 0.2) {
			row.BSB, row.AccountNumber, row.PayID = b.BSB, b.Number, b.PayID
		}
		row.Role = roleWord(r, o.a.Role)
	}
}

// roleWord is the subject role that an analyst would write: unknown in four of
// ten rows (assumption), whoever the row is about.
func roleWord(r *rand.Rand, role string) string {
	if chance(r, 0.4) {
		return "unknown"
	}
	switch role {
	case RoleSupplier:
		return "suspected_distributor"
	case RoleBroker:
		return "suspected_facilitator"
	}
	return "suspected_consumer"
}

// cases groups the sightings of one account at one organisation and makes rows.
func (w *World) cases(a *actor, r *rand.Rand, seen []sighting) {
	sort.SliceStable(seen, func(i, j int) bool {
		if seen[i].org != seen[j].org {
			return seen[i].org < seen[j].org
		}
		if seen[i].where != seen[j].where {
			return seen[i].where < seen[j].where
		}
		return seen[i].day < seen[j].day
	})
	for i := 0; i < len(seen); {
		j := i + 1
		for j < len(seen) && seen[j].org == seen[i].org && seen[j].where == seen[i].where && seen[j].day < seen[i].day+w.Params.CaseDays {
			j++
		}
		w.row(a, r, seen[i:j])
		i = j
	}
}

// row makes one case: strength 1 for one family of indicators, 2 for two or a
// repeated one, 3 where a person confirmed direct evidence.
func (w *World) row(a *actor, r *rand.Rand, seen []sighting) {
	strength, best := 1, seen[0]
	if len(seen) > 1 {
		strength = 2
	}
	for _, s := range seen {
		if s.direct && !best.direct {
			best = s
		}
	}
	if best.direct {
		strength = 2
		if chance(r, w.Params.Direct) {
			strength = 3
		}
	}
	last := seen[len(seen)-1].day
	row := Row{Organisation: best.org, Kind: best.kind, Strength: strconv.Itoa(strength), Origin: "own", subject: a.ID, day: last}
	best.fill(r, &row, last)
	w.misfile(a, r, &row)
	w.add(r, row)
}

// misfile files some rows of a household with one phone under the other person.
func (w *World) misfile(a *actor, r *rand.Rand, row *Row) {
	x := a.Household
	if x == nil || row.Phone == "" || row.Phone != x.Phone || !chance(r, w.Params.Misfiled) {
		return
	}
	row.subject = x.ID
	if row.AccountNumber != "" {
		row.AccountNumber, row.PayID, row.Service = number(x.n+3), "", ""
	}
	if row.Email != "" {
		row.Email = x.Email
	}
	if row.Username != "" {
		row.Username = x.Handle
	}
	if row.AccountID != "" {
		row.AccountID = fmt.Sprintf("u%08d", 10_000_000+x.n)
		row.URL = row.URL[:strings.LastIndexByte(row.URL, '/')+1] + row.AccountID
	}
}
