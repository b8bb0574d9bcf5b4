package sim

import "parallax/selector"

// Kinds of evidence, one per row.
const (
	KindPayment       = "payment"
	KindAccount       = "account"
	KindCommunication = "communication"
	KindReport        = "report"
	KindHash          = "hash"
	KindAccess        = "access"
	KindRecord        = "record"
)

// Values of the gate column: may this row lawfully be submitted to the pool?
const (
	GateOpen   = "may-submit"
	GateClosed = "not-at-all"
)

// A Row is one line of an organisation's export: one human-confirmed suspicion
// about one subject. Every field is text as the file has it; empty if unknown.
type Row struct {
	Organisation string
	Reference    string
	Date         string // of the evidence
	SubmitFrom   string // first day on which it may be submitted
	Gate         string
	Role         string
	Grade        string
	Strength     string
	Kind         string
	Origin       string
	Suspicion    string // "confirmed": nothing else leaves a review queue

	CustomerRef, BSB, AccountNumber, PayID, Service string
	Email, Phone, Username, AccountID, Platform     string
	URL, Domain, HashList, IP, Event                string
	CounterAccount, CounterPayID, CounterService    string
	Amount, Channel, Memo                           string
	Venue                                           string // neutral code of where it was seen

	subject string // truth; never written to an export
	day     int
	submit  int
}

// A column of an export. Class is set where the column holds the subject's own
// selector; a counterparty's never links and never counts, so has none.
type column struct {
	name  string
	class selector.Class
	cell  func(*Row) *string
}

var factColumns = []column{
	{"reference", "", func(r *Row) *string { return &r.Reference }},
	{"date", "", func(r *Row) *string { return &r.Date }},
	{"role", "", func(r *Row) *string { return &r.Role }},
	{"grade", "", func(r *Row) *string { return &r.Grade }},
	{"strength", "", func(r *Row) *string { return &r.Strength }},
	{"kind", "", func(r *Row) *string { return &r.Kind }},
	{"origin", "", func(r *Row) *string { return &r.Origin }},
	{"suspicion", "", func(r *Row) *string { return &r.Suspicion }},
}

var (
	colCustomer = column{"customer_ref", "", func(r *Row) *string { return &r.CustomerRef }}
	colBSB      = column{"bsb", "", func(r *Row) *string { return &r.BSB }}
	colAccount  = column{"account_number", selector.Bank, func(r *Row) *string { return &r.AccountNumber }}
	colPayID    = column{"payid", selector.PayID, func(r *Row) *string { return &r.PayID }}
	colService  = column{"payservice_id", selector.PayService, func(r *Row) *string { return &r.Service }}
	colEmail    = column{"email", selector.Email, func(r *Row) *string { return &r.Email }}
	colPhone    = column{"phone", selector.Phone, func(r *Row) *string { return &r.Phone }}
	colUser     = column{"username", selector.Username, func(r *Row) *string { return &r.Username }}
	colUserID   = column{"account_id", selector.Account, func(r *Row) *string { return &r.AccountID }}
	colPlatform = column{"platform", "", func(r *Row) *string { return &r.Platform }}
	colURL      = column{"url", selector.URL, func(r *Row) *string { return &r.URL }}
	colDomain   = column{"domain", selector.Domain, func(r *Row) *string { return &r.Domain }}
	colHash     = column{"hash_list_id", selector.Hash, func(r *Row) *string { return &r.HashList }}
	colVenue    = column{"venue", "", func(r *Row) *string { return &r.Venue }}
	colIP       = column{"ip", selector.IP, func(r *Row) *string { return &r.IP }}
	colEvent    = column{"event", "", func(r *Row) *string { return &r.Event }}
	colSubmit   = column{"submit_from", "", func(r *Row) *string { return &r.SubmitFrom }}
	colGate     = column{"gate", "", func(r *Row) *string { return &r.Gate }}
)

var paymentColumns = []column{
	{"counterparty_account", "", func(r *Row) *string { return &r.CounterAccount }},
	{"counterparty_payid", "", func(r *Row) *string { return &r.CounterPayID }},
	{"counterparty_payservice", "", func(r *Row) *string { return &r.CounterService }},
	{"amount", "", func(r *Row) *string { return &r.Amount }},
	{"channel", "", func(r *Row) *string { return &r.Channel }},
	{"memo", "", func(r *Row) *string { return &r.Memo }},
}

// columnsOf gives the export columns of a sector, in file order.
func columnsOf(sector string) []column {
	out := append([]column(nil), factColumns...)
	switch sector {
	case SectorBank:
		out = append(out, colCustomer, colBSB, colAccount, colPayID, colService, colEmail, colPhone)
		out = append(out, paymentColumns...)
	case SectorPlatform:
		out = append(out, colPlatform, colUser, colUserID, colEmail, colPhone, colIP, colURL, colHash, colEvent, colVenue)
	case SectorHotline:
		out = append(out, colURL, colDomain, colHash, colPlatform, colUser, colEmail, colVenue)
	case SectorFIU:
		out = append(out, colBSB, colAccount, colPayID, colService, colEmail, colPhone)
		out = append(out, paymentColumns...)
	default:
		out = append(out, colPlatform, colUser, colUserID, colEmail, colPhone, colBSB, colAccount, colPayID, colURL, colHash, colVenue)
	}
	return append(out, colSubmit, colGate)
}
