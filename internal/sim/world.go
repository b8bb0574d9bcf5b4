package sim

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// Counts are events that happened, seen or not.
type Counts struct {
	Paid  int `json:"paid_events"`
	Other int `json:"other_events"`
}

// A World is one simulated ecosystem with its truth.
type World struct {
	Params   Params
	Rows     map[string][]Row // by organisation, in order of date
	actors   []*actor
	payees   int
	hotlineB float64
	orgs     map[string]Organisation
	count    Counts
	withdraw []Withdrawal
}

// A Withdrawal is a row that a member should take back in a demonstration.
type Withdrawal struct {
	Organisation string `json:"organisation"`
	Reference    string `json:"reference"`
	Reason       string `json:"reason"`
}

// New draws a world. Same parameters, same world.
func New(p Params) (*World, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w := &World{Params: p, Rows: make(map[string][]Row), orgs: make(map[string]Organisation)}
	for _, o := range organisations {
		w.orgs[o.ID] = o
	}
	w.hotlineB = w.orgs["hotline-b"].Share
	places := venues()
	payers := float64(p.Actors) * (p.PaysLive + p.PaysCrypto)
	w.payees = max(1, int(payers)/p.PayersPerPayee)
	for i := range p.Actors {
		w.actors = append(w.actors, p.actor(i, places))
	}
	for i, a := range w.actors {
		w.observe(a, stream(p.Seed, streamCell, i))
	}
	w.alarms(places)
	if p.PlantFalse {
		w.plant(places)
	}
	return w, w.finish()
}

func (w *World) org(id string) (Organisation, bool) { o, ok := w.orgs[id]; return o, ok }

// Shares of grades (assumptions): most sources are usually reliable.
func grade(r *rand.Rand, doubtful float64) string {
	if chance(r, doubtful) {
		return "E5"
	}
	return string("BBBC"[r.IntN(4)]) + string("2233"[r.IntN(4)])
}

// add completes a row, adds typing errors and passes referrals on.
func (w *World) add(r *rand.Rand, row Row) {
	p := w.Params
	row.Suspicion, row.Gate = "confirmed", GateOpen
	row.submit = row.day + 1 + r.IntN(p.DelayMax)
	if row.Grade == "" {
		row.Grade = grade(r, p.Doubtful)
	}
	org := w.orgs[row.Organisation]
	if org.Foreign {
		row.Gate = GateClosed
		w.refer(r, row, p.DelayMax)
	}
	if org.Sector == SectorHotline && chance(r, p.Referral) {
		w.refer(r, row, 7)
	}
	w.keep(r, row)
}

// refer puts a copy on the police list, marked with who referred it.
func (w *World) refer(r *rand.Rand, row Row, delay int) {
	row.Origin = "referred:" + row.Organisation
	row.Organisation, row.Gate = "police", GateOpen
	row.submit += delay
	w.keep(r, row)
}

// keep types the row into the organisation's system.
func (w *World) keep(r *rand.Rand, row Row) {
	hand := w.orgs[row.Organisation].Sector
	cells := []*string{&row.Email, &row.Phone}
	if hand != SectorPlatform && hand != SectorBank { // their own user names are machine-kept
		cells = append(cells, &row.Username)
	}
	for _, c := range cells {
		if *c != "" && chance(r, w.Params.Typo) {
			*c = typo(r, *c)
		}
	}
	row.Venue = venueCode(row.Platform, row.Domain)
	row.Phone = writePhone(row.Organisation, row.Phone)
	if row.PayID != "" {
		row.PayID = writePhone(row.Organisation, row.PayID)
	}
	if row.Username == "" && row.AccountID == "" {
		row.Platform = ""
	}
	w.Rows[row.Organisation] = append(w.Rows[row.Organisation], row)
}

// alarms draws confirmed false alarms on innocent people.
func (w *World) alarms(places []venue) {
	p := w.Params
	all := p.Actors * p.InnocentsPerActor
	recycled := w.recycled(all)
	for i, o := range organisations {
		r := stream(p.Seed, streamAlarm, i)
		share := 1.0
		switch o.Sector {
		case SectorBank:
			share = o.Share
		case SectorPlatform:
			share = o.Venue
		}
		for range poisson(r, o.FalseRate*share*float64(all)*float64(p.Days)/365) {
			x := p.noticed(r, all)
			if number, ok := recycled[x.ID]; ok {
				x.Phone = number
			}
			w.alarm(r, o, x, places)
		}
	}
}

// noticed picks an innocent person in proportion to trappability.
func (p Params) noticed(r *rand.Rand, all int) *innocent {
	const bound = 8
	for {
		if x := p.innocent(r.IntN(all)); chance(r, x.Trap/bound) {
			return x
		}
	}
}

// recycled gives some actors' old numbers, and those of shared households, to
// innocent people.
func (w *World) recycled(all int) map[string]string {
	r := stream(w.Params.Seed, streamAlarm, len(organisations))
	out := make(map[string]string)
	for _, a := range w.actors {
		if chance(r, w.Params.Recycled) {
			out[w.Params.innocent(r.IntN(all)).ID] = a.Phone.Old
		}
		if a.Household != nil {
			out[a.Household.ID] = a.Household.Phone
		}
	}
	return out
}

func (w *World) alarm(r *rand.Rand, o Organisation, x *innocent, places []venue) {
	row := Row{Organisation: o.ID, subject: x.ID, day: r.IntN(w.Params.Days), Strength: "1", Origin: "own", Role: roleWord(r, RoleDownloader)}
	if chance(r, 0.2) { // assumption
		row.Strength = "2"
	}
	switch o.Sector {
	case SectorBank, SectorFIU:
		bank := o.ID
		if o.Sector == SectorFIU {
			bank = "bank-a"
		}
		row.Kind = KindPayment
		fillBank(&row, x.account(bank), row.day)
		row.CounterService, row.Amount, row.Channel = fmt.Sprintf("simpay:payee-%04d", 1+r.IntN(w.payees)), strconv.Itoa(20+r.IntN(200))+".00", "international"
		if o.Sector == SectorBank {
			row.CustomerRef = "C" + row.AccountNumber[1:]
		}
	case SectorPlatform:
		row.Kind, row.Event = KindCommunication, KindCommunication
		fillAlias(&row, x.alias(venueOf(places, o.ID)), row.day)
		row.URL = "https://" + o.ID + "-sim.net/u/" + row.AccountID
	default:
		row.Kind, row.Email = KindReport, x.Email
		if o.Sector == SectorPolice {
			row.Kind, row.Phone = KindRecord, x.Phone
		}
	}
	w.add(r, row)
}

func venueOf(places []venue, org string) venue {
	for _, v := range places {
		if v.org == org {
			return v
		}
	}
	return venue{name: org}
}

// plant adds one false lead: a household with one phone, whose innocent member
// the bank noticed and whose other accounts two platforms noticed. The bank
// later withdraws its row. Its subjects begin with "planted" and are never
// scored.
func (w *World) plant(places []venue) {
	r := stream(w.Params.Seed, streamAlarm, 1000)
	n := w.Params.Actors*numbersPerActor + w.Params.Actors*w.Params.InnocentsPerActor*numbersPerInnocent + 10
	x := &innocent{ID: "planted-000001", n: n, Email: email(r, n), Phone: phone(n), Handle: name(r, n)}
	day := w.Params.Days / 2
	rows := make([]Row, 3)
	fillBank(&rows[0], x.account("bank-a"), day)
	rows[0].Organisation, rows[0].Kind, rows[0].CustomerRef = "bank-a", KindPayment, "C"+rows[0].AccountNumber[1:]
	rows[0].CounterService, rows[0].Amount, rows[0].Channel, rows[0].Memo = "simpay:payee-0001", "60.00", "international", "gift"
	for i, org := range []string{"platform-a", "platform-b"} {
		other := *x
		other.Handle, other.Email, other.n = name(r, n+i+1), email(r, n+i+1), n+8+i
		fillAlias(&rows[i+1], other.alias(venueOf(places, org)), day)
		rows[i+1].Organisation, rows[i+1].Kind, rows[i+1].Event = org, KindCommunication, KindCommunication
		rows[i+1].URL = "https://" + org + "-sim.net/u/" + rows[i+1].AccountID
	}
	rows[2].Kind, rows[2].Event = KindAccess, KindAccess
	for i := range rows {
		row := &rows[i]
		row.subject, row.Strength, row.Origin, row.Role, row.Grade = x.ID, "2", "own", "unknown", "B3"
		row.Suspicion, row.Gate, row.day, row.submit = "confirmed", GateOpen, day+i, day+i+3
		row.Phone = writePhone(row.Organisation, row.Phone)
		w.Rows[row.Organisation] = append(w.Rows[row.Organisation], *row)
	}
}

// finish orders the rows, dates them and gives them references.
func (w *World) finish() error {
	for _, o := range organisations {
		rows := w.Rows[o.ID]
		sort.SliceStable(rows, func(i, j int) bool { return rows[i].day < rows[j].day })
		part := strings.ToUpper(strings.ReplaceAll(o.ID, "-", ""))
		for i := range rows {
			row := &rows[i]
			var err error
			row.Reference = fmt.Sprintf("SIM-%s-%06d", part, i+1)
			if row.Date, err = w.Params.date(row.day); err != nil {
				return err
			}
			if row.SubmitFrom, err = w.Params.date(row.submit); err != nil {
				return err
			}
			if o.ID == "bank-a" && strings.HasPrefix(row.subject, "planted") {
				w.withdraw = append(w.withdraw, Withdrawal{o.ID, row.Reference, "the phone belongs to a household; the customer is another person"})
			}
		}
	}
	return nil
}
