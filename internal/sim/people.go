package sim

import (
	"fmt"
	"math/rand/v2"
)

// Roles of actors in the truth.
const (
	RoleDownloader    = "downloader"
	RoleCommunicating = "communicating"
	RoleSupplier      = "supplier"
	RoleBroker        = "broker"
)

// An alias is one account of an actor on one venue.
type alias struct {
	Venue     venue
	Username  string
	AccountID string
	Email     contact
	Phone     contact // empty Old: the venue holds none
}

// An actor is one simulated offender with everything that is true of them.
type actor struct {
	ID      string
	n       int
	Role    string
	Live    bool
	Crypto  bool
	Barter  bool
	Career  int // paid events in the whole career, 0 for who does not pay
	Trap    float64
	Yearly  float64 // mean other events in a year
	Email   contact
	Phone   contact
	Handle  string
	Aliases []alias
	Banks   []account
	// Household is the innocent person with whom the phone is shared, or nil.
	Household *innocent
}

func (a *actor) pays() bool { return a.Live || a.Crypto }

// Identifiers reserved per person: main, one per alias and account, old and new.
const (
	numbersPerActor    = 40
	numbersPerInnocent = 4
)

// maker hands out identifiers of one person.
type maker struct {
	r *rand.Rand
	p Params
	n int
}

func (m *maker) next() int { m.n++; return m.n }

// contact draws a contact and whether it changes within the window.
func (m *maker) contact(make func() string) contact {
	c := contact{Old: make()}
	if chance(m.r, m.p.Rotate*float64(m.p.Days)/365) {
		c.New, c.Day = make(), m.r.IntN(m.p.Days)
	}
	return c
}

func (m *maker) email() contact {
	return m.contact(func() string { return email(m.r, m.next()) })
}

func (m *maker) phone() contact {
	return m.contact(func() string { return phone(m.next()) })
}

// main gives the main contact with the chance of reuse, else a fresh one.
func (m *maker) reuse(main contact, fresh func() contact) contact {
	if chance(m.r, m.p.Reuse) {
		return main
	}
	return fresh()
}

func (p Params) actor(i int, places []venue) *actor {
	r := stream(p.Seed, streamActor, i)
	m := &maker{r: r, p: p, n: i * numbersPerActor}
	a := &actor{ID: fmt.Sprintf("actor-%06d", i+1), n: i, Trap: skew(r, p.TrapSigma)}
	p.roleOf(r, a)
	a.Email, a.Phone, a.Handle = m.email(), m.phone(), name(r, m.next())
	if a.pays() {
		a.Career = p.career(r)
	}
	a.Yearly *= skew(r, p.ActiveSigma)
	m.aliases(a, places)
	m.banks(a)
	if chance(r, p.SharedPhone) {
		a.Household = p.innocent(r.IntN(p.Actors * p.InnocentsPerActor))
		a.Household.Phone = a.Phone.Old
	}
	return a
}

func (p Params) roleOf(r *rand.Rand, a *actor) {
	switch x := r.Float64(); {
	case x < p.Suppliers:
		a.Role, a.Yearly = RoleSupplier, p.YearlyTop
	case x < p.Suppliers+p.Brokers:
		a.Role, a.Yearly = RoleBroker, p.YearlyTop
	case x < p.Suppliers+p.Brokers+p.Communicating:
		a.Role, a.Yearly = RoleCommunicating, p.YearlyMid
	default:
		a.Role, a.Yearly = RoleDownloader, p.YearlyLow
	}
	switch x := r.Float64(); {
	case x < p.PaysLive:
		a.Live = true
	case x < p.PaysLive+p.PaysCrypto:
		a.Crypto, a.Barter = true, chance(r, p.CryptoBarter)
	case x < p.PaysLive+p.PaysCrypto+p.Barter:
		a.Barter = true
	}
	if a.Barter {
		a.Yearly = max(a.Yearly, p.YearlyMid)
	}
}

// Shares of accounts with a contact (assumptions): venues ask for an e-mail
// more often than for a phone, banks for both.
const (
	venueMail  = 0.9
	venuePhone = 0.5
	bankMail   = 0.8
	bankPhone  = 0.95
	bankPayID  = 0.4
	bankPays   = 0.3 // pays through a payment service too
)

func (m *maker) aliases(a *actor, places []venue) {
	n := 1
	for n < m.p.MaxAliases && chance(m.r, m.p.AliasMore) {
		n++
	}
	weights := make([]float64, len(places))
	for i, v := range places {
		weights[i] = v.weight
	}
	for range n {
		i := pick(m.r, weights)
		weights[i] = 0 // one alias a venue
		x := alias{Venue: places[i], Username: a.Handle, AccountID: fmt.Sprintf("u%08d", 10_000_000+m.next())}
		if !chance(m.r, m.p.Reuse) {
			x.Username = name(m.r, m.next())
		}
		if chance(m.r, venueMail) {
			x.Email = m.reuse(a.Email, m.email)
		}
		if chance(m.r, venuePhone) {
			x.Phone = m.reuse(a.Phone, m.phone)
		}
		a.Aliases = append(a.Aliases, x)
	}
}

func (m *maker) banks(a *actor) {
	weights, rest := []float64{}, 1.0
	orgs := sectorOrgs(SectorBank)
	for _, o := range orgs {
		weights = append(weights, o.Share)
		rest -= o.Share
	}
	weights = append(weights, rest) // banks outside the ecosystem
	n := 1
	if chance(m.r, m.p.SecondBank) {
		n = 2
	}
	for range n {
		i := pick(m.r, weights)
		weights[i] = 0
		if i == len(orgs) {
			a.Banks = append(a.Banks, account{Number: number(m.next())})
			continue
		}
		a.Banks = append(a.Banks, m.account(orgs[i].ID, a.Email, a.Phone))
	}
}

// account opens an account at a bank for who has these main contacts.
func (m *maker) account(org string, mail, phone contact) account {
	x := account{Org: org, BSB: bsb(org), Number: number(m.next())}
	if chance(m.r, bankMail) {
		x.Email = m.reuse(mail, m.email)
	}
	if chance(m.r, bankPhone) {
		x.Phone = m.reuse(phone, m.phone)
	}
	if x.Phone.Old != "" && chance(m.r, bankPayID) {
		x.PayID = x.Phone.Old
	}
	if chance(m.r, bankPays) {
		x.Service = "simpay:" + name(m.r, m.next())
	}
	return x
}

// An innocent person who is falsely noticed, or shares a phone.
type innocent struct {
	ID     string
	Email  string
	Phone  string
	Handle string
	Trap   float64
	n      int
}

// innocent makes the i-th innocent person; the same i gives the same person.
func (p Params) innocent(i int) *innocent {
	r := stream(p.Seed, streamInnocent, i)
	n := p.Actors*numbersPerActor + i*numbersPerInnocent
	return &innocent{ID: fmt.Sprintf("innocent-%08d", i+1), n: n, Trap: skew(r, p.TrapSigma),
		Email: email(r, n), Phone: phone(n + 1), Handle: name(r, n+2)}
}

// account is the innocent person's account at a bank.
func (x *innocent) account(org string) account {
	return account{Org: org, BSB: bsb(org), Number: number(x.n + 3),
		Email: contact{Old: x.Email}, Phone: contact{Old: x.Phone}}
}

// alias is the innocent person's account on a platform.
func (x *innocent) alias(v venue) alias {
	return alias{Venue: v, Username: x.Handle, AccountID: fmt.Sprintf("u%08d", 10_000_000+x.n),
		Email: contact{Old: x.Email}, Phone: contact{Old: x.Phone}}
}
