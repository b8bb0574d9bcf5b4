package sim

import (
	"fmt"
	"strings"
)

// Sectors of the organisations, as the rule counts them.
const (
	SectorBank      = "bank"
	SectorPlatform  = "platform"
	SectorHotline   = "hotline"
	SectorPolice    = "police"
	SectorFIU       = "fiu"
	SectorRegulator = "regulator"
)

// An Organisation is one observer. Each is its own controlling entity.
type Organisation struct {
	ID     string `json:"id"`
	Sector string `json:"sector"`
	// Share is a bank's coverage of the population, or a platform's share of
	// all platform reports; 0 elsewhere.
	Share float64 `json:"share,omitempty"`
	// Venue is a platform's share of accounts on open venues.
	Venue float64 `json:"venue,omitempty"`
	// Sense scales a bank's hazard.
	Sense float64 `json:"sense,omitempty"`
	// Foreign: not lawfully a member; reports arrive through a clearing house
	// on the police list.
	Foreign bool `json:"foreign,omitempty"`
	// FalseRate is confirmed false alarms per innocent customer and year,
	// within the published range of 1e-5 to 4e-4.
	FalseRate float64 `json:"false_rate"`
}

// organisations: bank coverage 30/22/16/12/6 % and one platform with 60 % of
// reports are grounded (market shares; NCMEC skew). The other report shares,
// venue shares and sensitivities are assumptions.
var organisations = []Organisation{
	{ID: "bank-a", Sector: SectorBank, Share: 0.30, Sense: 1.0, FalseRate: 4e-4},
	{ID: "bank-b", Sector: SectorBank, Share: 0.22, Sense: 0.8, FalseRate: 4e-4},
	{ID: "bank-c", Sector: SectorBank, Share: 0.16, Sense: 0.7, FalseRate: 2e-4},
	{ID: "bank-d", Sector: SectorBank, Share: 0.12, Sense: 0.6, FalseRate: 2e-4},
	{ID: "bank-e", Sector: SectorBank, Share: 0.06, Sense: 0.5, FalseRate: 1e-4},
	{ID: "platform-a", Sector: SectorPlatform, Share: 0.60, Venue: 0.30, FalseRate: 2e-4},
	{ID: "platform-b", Sector: SectorPlatform, Share: 0.15, Venue: 0.15, FalseRate: 1e-4},
	{ID: "platform-c", Sector: SectorPlatform, Share: 0.10, Venue: 0.12, FalseRate: 1e-4},
	{ID: "platform-d", Sector: SectorPlatform, Share: 0.07, Venue: 0.09, FalseRate: 5e-5},
	{ID: "platform-e", Sector: SectorPlatform, Share: 0.05, Venue: 0.07, FalseRate: 5e-5, Foreign: true},
	{ID: "platform-f", Sector: SectorPlatform, Share: 0.03, Venue: 0.05, FalseRate: 5e-5, Foreign: true},
	{ID: "hotline-a", Sector: SectorHotline, Share: 0.7, FalseRate: 1e-5},
	{ID: "hotline-b", Sector: SectorHotline, Share: 0.3, FalseRate: 1e-5},
	{ID: "police", Sector: SectorPolice, FalseRate: 1e-5},
	{ID: "fiu", Sector: SectorFIU, FalseRate: 5e-5},
	{ID: "regulator", Sector: SectorRegulator, FalseRate: 1e-5},
}

// Organisations lists every simulated organisation in a fixed order.
func Organisations() []Organisation { return append([]Organisation(nil), organisations...) }

func sectorOrgs(sector string) []Organisation {
	var out []Organisation
	for _, o := range organisations {
		if o.Sector == sector {
			out = append(out, o)
		}
	}
	return out
}

// A venue is where an alias lives: 12 open (six of them run by observers), 6
// closed groups and 3 hidden forums, which nobody in the ecosystem sees.
type venue struct {
	org    string // observer that runs it, or empty
	name   string
	weight float64
	sense  float64 // of the observer, mean 1 over the platforms' reports
}

// venueCode is the neutral code of the venue that a row names: its place in the
// list of venues, which members share among themselves and the hub never gets.
func venueCode(platform, domain string) string {
	name := platform
	if name == "" {
		name = strings.TrimSuffix(domain, "-sim.net")
	}
	for i, v := range venues() {
		if v.name == name {
			return fmt.Sprintf("v%02d", i+1)
		}
	}
	return ""
}

// venues gives the 21 venues. Closed and hidden venues together weigh as much
// as half of the open ones (assumption).
func venues() []venue {
	var out []venue
	scale := 0.0
	for _, o := range sectorOrgs(SectorPlatform) {
		// sense makes reports come out in the platforms' shares
		out = append(out, venue{o.ID, o.ID, o.Venue, o.Share / o.Venue})
		scale += o.Venue
	}
	for i := range out {
		out[i].sense *= scale
	}
	for i := range 6 {
		out = append(out, venue{"", "open-" + string(rune('g'+i)), 0.22 / 6, 0})
	}
	for i := range 6 {
		out = append(out, venue{"", "closed-" + string(rune('a'+i)), 0.35 / 6, 0})
	}
	for i := range 3 {
		out = append(out, venue{"", "hidden-" + string(rune('a'+i)), 0.15 / 3, 0})
	}
	return out
}
