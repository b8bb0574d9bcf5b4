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
	routes  = test{"internal/hub", "Matrix|TestManifests|TestWhoMayCallWhat"}
	foreign = test{"internal/hub", "TestForeignIDs|TestWhoMaySeeWhat|TestDemo|TestPublicPages"}
	rules   = test{"opening", "Random|Linked|Weight|BothSides|TellsWhy|Frequency|RuleCheck|Loosen|Correct|Freeze|Header|Denial"} // all but the exhaustive one, which takes a minute
	holders = test{"internal/keyholder", "Refuse|Refused|Open|Release|Forward|Waits|Budget|Playbook|Halt|Glass|Swapped"}
	permits = test{"internal/gateway/permit", "."}
	flows   = test{"internal/gateway", "."}
	lead    = test{"internal/leads", "."}
	whole   = test{"internal/hub", "TestALeadOpens|TestRequestsAreRefused|TestPossibleVictim|TestWithdrawal|TestOneHolder"}
)

var targets = []target{
	// Authorisation.
	{"internal/authz/policy.cedar", nil, []test{gate}},
	{"internal/authz/gate.go", nil, []test{gate}},
	{"internal/authz/check.go", nil, []test{gate}},
	{"internal/authz/schema.go", nil, []test{gate}},
	{"internal/authz/types.go", []string{"From"}, []test{gate}},
	{"internal/scope/scope.go", nil, []test{gate, lead, {"internal/store", "Isolat"}}},
	{"internal/hub/registry.go", []string{"own", "named", "proven", "byQuorum", "message", "guard", "known", "enter", "may", "checkTable", "forPeople"}, []test{routes, foreign}},
	{"internal/hub/viewer.go", nil, []test{routes, foreign}},
	{"internal/leads/console.go", []string{"whole"}, []test{lead}},
	{"internal/leads/leads.go", []string{"approver"}, []test{lead}},
	// The threshold, and what key holders refuse.
	{"opening/rule.go", []string{"Weight", "Linked", "hasPerson", "decideOver", "withWord", "atLeast", "sharedNonPayment", "hasNonPayment"}, []test{rules, holders}},
	{"opening/bundle.go", nil, []test{rules, holders, whole}},
	{"opening/request.go", nil, []test{rules, holders, lead, whole}},
	{"opening/denial.go", nil, []test{rules, holders, whole}},
	{"opening/loosen.go", nil, []test{rules, holders}},
	{"internal/keyholder/manifests.go", nil, []test{holders}},
	{"internal/keyholder/server.go", []string{"sender", "memberKey", "checkBatch", "hubKey", "Deny", "Open", "decide", "notePending"}, []test{holders}},
	// The gateway's permits.
	{"internal/gateway/permit/permit.go", nil, []test{permits, flows}},
	{"internal/gateway/permit/check.go", nil, []test{permits, flows}},
}
