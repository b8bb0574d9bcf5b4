package authz

// An Action is what a route does. The list is closed: what is not in it cannot
// be asked for, and a policy that names something else stops the start.
type Action string

// Groups of actions that policies speak of.
const (
	open      = "open"      // everyone, signed in or not
	signedIn  = "signed-in" // every person with a session, for what is its own
	remains   = "remains"   // what a suspended organisation keeps: its receipts and putting right
	dangerous = "dangerous" // a person must have confirmed who it is within StepUp
)

// The actions.
const (
	UseHub       Action = "hub.use"       // assets, the first page, what is not there
	ReadStatus   Action = "status.read"   // the hub's own state, for machines
	ReadSetup    Action = "setup.read"    // transcript and board of the key ceremony
	PostSetup    Action = "setup.post"    // a holder's signed message to the ceremony
	ReadPolicy   Action = "policy.read"   // manifests, the page Keys
	PostPolicy   Action = "policy.post"   // a manifest, which carries its quorum's signatures
	ReadLog      Action = "log.read"      // checkpoints, entries
	CosignLog    Action = "log.cosign"    // a desk witness's line, which proves itself
	AuditLog     Action = "log.audit"     // entries opened, for an auditor's machine
	AuditHub     Action = "hub.audit"     // what an auditor's first page compares
	AuditQueries Action = "queries.audit" // note that an answer to a query audit is read
	ChooseViewer Action = "demo.choose"   // demonstrations: who is looking
	UseAccount   Action = "account.use"   // own sessions, passkeys, signing out
	ReadPeople   Action = "people.read"   // people of an organisation
	ManagePeople Action = "people.manage"
	Accredit     Action = "organisation.accredit" // what governance signed about an organisation
	ReadRecords  Action = "records.read"          // what the own organisation sent
	Contribute   Action = "records.send"
	ReadReceipt  Action = "receipt.read"
	Withdraw     Action = "records.withdraw"
	ReadLeads    Action = "leads.read" // structure, never a payload
	AskOpening   Action = "opening.ask"
	Approve      Action = "opening.approve"
	ReadOpenings Action = "openings.read"
	FetchOpening Action = "opening.fetch"  // what key holders released
	AnchorReads  Action = "reads.anchor"   // where a desk's own read log stands
	Handle       Action = "opening.handle" // deconflict, decide, record and release an outcome
	Review       Action = "opening.review" // of a break-glass opening, afterwards
	Correct      Action = "leads.correct"  // freeze, uphold or revoke an observation by its label
	Thaw         Action = "freeze.lift"    // what a governor signed
)

// Actions about statistics.
const (
	ReadStatistics Action = "statistics.read"     // estimates and displacement before their release
	ProposeAct     Action = "statistics.propose"  // does nothing until two people approve it
	ApproveAct     Action = "statistics.approve"  // a key's, at a desk
	ReadReleased   Action = "statistics.released" // what was published
)

// Actions of the gateway.
const (
	AskGateway    Action = "gateway.ask"     // a question about law, which tells of no case
	CompareLaw    Action = "gateway.compare" // versions of the law data, and what changed
	ReadRequests  Action = "gateway.read"    // requests of the own organisation
	MakeRequest   Action = "gateway.request" // make, edit, withdraw one; mark a duty as done
	DecideRequest Action = "gateway.decide"  // approve a route, or refuse
	ReadBarriers  Action = "barriers.read"   // the register, small counts withheld
	RecordBarrier Action = "barriers.record" // add one, or a case to one
	EditBarriers  Action = "barriers.edit"   // change, remove, undo, import
)

// actions says of each action what it acts on and which groups it is in.
var actions = []struct {
	Action
	on ResourceKind
	in []string
}{
	{UseHub, Hub, []string{open}},
	{ReadStatus, Hub, []string{open}},
	{ReadSetup, Hub, []string{open}},
	{PostSetup, Hub, []string{open}},
	{ReadPolicy, Hub, []string{open}},
	{PostPolicy, Hub, nil},
	{ReadLog, Hub, []string{open}},
	{CosignLog, Hub, []string{open}},
	{AuditLog, Leads, nil},
	{AuditHub, Hub, nil},
	{AuditQueries, Hub, nil},
	{ChooseViewer, Hub, []string{open}},
	{UseAccount, Hub, []string{signedIn, remains}},
	{ReadPeople, Organisation, nil},
	{ManagePeople, Organisation, []string{dangerous}},
	{Accredit, Hub, nil},
	{AskGateway, Hub, []string{open}},
	{CompareLaw, Hub, []string{signedIn}},
	{ReadRequests, Records, []string{remains}},
	{MakeRequest, Records, nil},
	{DecideRequest, Records, []string{dangerous}},
	{ReadBarriers, Hub, []string{signedIn}},
	{RecordBarrier, Hub, nil},
	{EditBarriers, Hub, nil},
	{ReadRecords, Records, []string{remains}},
	{Contribute, Records, nil},
	{ReadReceipt, Records, []string{remains}},
	{Withdraw, Records, []string{remains}},
	{ReadLeads, Leads, nil},
	{AskOpening, Leads, nil},
	{Approve, Leads, nil},
	{ReadOpenings, Leads, nil},
	{FetchOpening, Leads, nil},
	{AnchorReads, Leads, nil},
	{Handle, Leads, nil},
	{Review, Leads, nil},
	{Correct, Leads, nil},
	{Thaw, Leads, nil},
	{ReadStatistics, Statistics, nil},
	{ProposeAct, Statistics, nil},
	{ApproveAct, Statistics, nil},
	{ReadReleased, Hub, []string{open}},
}

// Actions lists every action there is.
func Actions() []Action {
	out := make([]Action, len(actions))
	for i, a := range actions {
		out[i] = a.Action
	}
	return out
}

// On is the kind of resource that an action acts on; "" for none of the list.
func (a Action) On() ResourceKind {
	for _, x := range actions {
		if x.Action == a {
			return x.on
		}
	}
	return ""
}
