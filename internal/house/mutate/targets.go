package main

// A target is a file whose lines decide, and the tests that must notice when
// they decide wrongly, the quickest first.
type target struct {
	file      string
	functions []string // all where empty
	tests     []test
}

// A test is some tests of a package.
type test struct{ pkg, run string }

var (
	gate    = test{"internal/authz", "."}
	table   = test{"internal/hub", "TestTheTable|TestWhoAsks"}
	calls   = test{"internal/hub", "TestManifestsFollow|TestWhoMayCallWhat|TestWhoIsDenied"}
	routes  = test{"internal/hub", "TestRoutesMatrix"}
	rules   = test{"opening", "Random|Linked|Weight|BothSides|TellsWhy|Frequency|RuleCheck|Loosen|Header|Bundle"} // all but the exhaustive one, which takes a minute
	bundles = test{"opening", "Bundle"}
	acts    = test{"opening", "Request|Stop|Withdrawal|Correct|Freeze"}
	serves  = test{"internal/keyholder", "ABatch|NotRegistered|Demonstration|ThreeOrganisations|BudgetsSurvive|ReleaseWaits|OrdinaryRelease|Halt|TestADenial"}
	bundled = test{"internal/keyholder", "ThreeOrganisations|SomethingElse|WasDown|PossibleVictim|ReleaseWaits"}
	holders = test{"internal/keyholder", "Refuse|Refused|Open|Release|Forward|Waits|Budget|Playbook|Halt|Glass|Swapped|Manifest|Demonstration|Batch"}
	orders  = test{"internal/keyholder", "RefuseAnOrder|OperatorLets|NewHolderStarts|OlderAndForked|CutOff"}
	ordered = test{"internal/keyholder", "TestOrders"}
	permits = test{"internal/gateway/permit", "."}
	flows   = test{"internal/gateway", "."}
	lead    = test{"internal/leads", "."}
)

var targets = []target{
	// Authorisation.
	{"internal/authz/policy.cedar", nil, []test{gate}},
	{"internal/authz/gate.go", nil, []test{gate}},
	{"internal/authz/check.go", nil, []test{gate}},
	{"internal/authz/schema.go", nil, []test{gate}},
	{"internal/authz/types.go", []string{"From"}, []test{gate}},
	{"internal/scope/scope.go", nil, []test{{"internal/scope", "."}, gate, lead}},
	{"internal/hub/registry.go", []string{"own", "named", "proven", "byQuorum", "message", "guard", "known", "enter", "may", "checkTable", "forPeople"}, []test{table, calls, routes}},
	{"internal/hub/viewer.go", nil, []test{table, calls, routes}},
	{"internal/leads/console.go", []string{"whole"}, []test{lead}},
	{"internal/leads/leads.go", []string{"approver"}, []test{lead}},
	// The threshold, and what key holders refuse.
	{"opening/rule.go", []string{"Weight", "Linked", "hasPerson", "decideOver", "withWord", "atLeast", "sharedNonPayment", "hasNonPayment"}, []test{rules, holders}},
	{"opening/bundle.go", nil, []test{bundles, bundled, holders}},
	{"opening/request.go", nil, []test{acts, holders}},
	{"opening/denial.go", nil, []test{acts, holders}},
	{"opening/emergency.go", nil, []test{acts, holders}},
	{"opening/correct.go", []string{"Corrects", "checkCorrection", "Refuses", "applyCorrection", "thaw"}, []test{acts, holders}},
	{"opening/manifest.go", []string{"Verify", "Open"}, []test{acts, holders}},
	{"opening/loosen.go", nil, []test{{"opening", "Loosen"}, holders}},
	{"internal/keyholder/manifests.go", nil, []test{{"internal/keyholder", "Manifest|Demonstration"}, holders}},
	{"internal/keyholder/server.go", []string{"sender", "memberKey", "checkBatch", "hubKey", "Deny", "Open", "decide", "notePending"}, []test{serves, holders}},
	{"internal/keyholder/witness.go", []string{"verifyCheckpoint"}, []test{{"internal/keyholder", "Checkpoint"}, bundled, holders}},
	// Who may get a share of the keys.
	{"client/reshare.go", []string{"Open", "Follows", "Run", "openRunKey", "CheckKey", "separate", "SameCommittee", "Under", "Fit", "lists", "Belongs"}, []test{{"client", "Order|Refresh|Manifest|Generation"}, ordered}},
	{"internal/keyholder/reshare.go", []string{"checkOrder"}, []test{ordered, orders}},
	{"internal/keyholder/reshare_files.go", []string{"begin", "consents", "gaveWord"}, []test{ordered, orders}},
	// The gateway's permits.
	{"internal/gateway/permit/permit.go", nil, []test{permits, flows}},
	{"internal/gateway/permit/check.go", nil, []test{permits, flows}},
}
