package vocab

// RolePossibleVictim is the subject role that stops every adverse act.
const RolePossibleVictim = "possible_victim"

// RoleUnknown is the role where none has been given.
const RoleUnknown = "unknown"

// Roles say how the contributor suspects that the subject is involved. A role
// is a suspicion of one organisation and no finding.
var Roles = List{"subject role", []Word{
	{"suspected_consumer", "Suspected consumer", "Suspected of paying for or seeking access to unlawful material or contact."},
	{"suspected_facilitator", "Suspected facilitator", "Suspected of arranging, advertising or handling money for others."},
	{"suspected_distributor", "Suspected distributor", "Suspected of passing on unlawful material."},
	{"suspected_travelling", "Suspected travelling offender", "Suspected of travelling, or planning to travel, in order to offend."},
	{"suspected_merchant", "Suspected merchant", "A business or payment account suspected of serving the trade."},
	{RolePossibleVictim, "Possible victim", "May be a child or another person who has been harmed. Nothing adverse follows; the lead opens only to protect."},
	{"mule_or_victim_unknown", "Account used by others, or victim: not known", "Money passed through this person's account; whether knowingly, or under pressure, is not known."},
	{"third_party", "Third party", "Connected by the records alone. Not suspected of anything."},
	{RoleUnknown, "Not known", "The contributor cannot say. The default."},
}}

// Sources grade the source of an observation (Admiralty scale, reliability).
// "f" is an unknown, not a low grade: never calculate with it.
var Sources = List{"source grade", []Word{
	{"a", "A: completely reliable", "No doubt about the source; its reports have always held."},
	{"b", "B: usually reliable", "Small doubts; most of its reports have held."},
	{"c", "C: fairly reliable", "Some doubts; several of its reports have held."},
	{"d", "D: not usually reliable", "Strong doubts; some of its reports have held."},
	{"e", "E: unreliable", "Its reports have not held."},
	{"f", "F: cannot be judged", "New or unknown source. This is no low grade."},
}}

// Information grades what the source says (Admiralty scale, credibility). "6" is
// an unknown, not a low grade.
var Information = List{"information grade", []Word{
	{"1", "1: confirmed by other sources", "Independent sources say the same."},
	{"2", "2: probably true", "Fits with what is known; not confirmed."},
	{"3", "3: possibly true", "Reasonable in itself; little is known to compare it with."},
	{"4", "4: doubtful", "Possible, but nothing supports it."},
	{"5", "5: improbable", "What is known speaks against it."},
	{"6", "6: cannot be judged", "Nothing to judge it by. This is no low grade."},
}}

// Kinds say what sort of record an observation rests on.
var Kinds = List{"evidence kind", []Word{
	{"payment", "Payment", "Transfers, purchases, pay-outs or their pattern."},
	{"account", "Account", "How an account was opened, named, linked or used."},
	{"communication", "Communication", "That contact took place, or words reported by a person who took part."},
	{"report", "Report", "A report by a person or a hotline."},
	{"hash", "Known-material match", "A file matched a list of known material. The file itself is never part of it."},
	{"access", "Access", "Sign-ins, visits or network addresses."},
	{"device", "Device", "A device and what it is linked to."},
	{"record", "Official record", "A register, a court or an official decision."},
}}

// Sectors say what sort of organisation a member is. An opening rule may ask
// for several of them.
var Sectors = List{"sector", []Word{
	{"bank", "Bank", "Takes deposits or runs accounts."},
	{"payment", "Payment service", "Moves money: remittance, cards, wallets, exchanges, gift cards."},
	{"platform", "Online platform", "Hosts, carries or finds what people publish or say online."},
	{"hotline", "Hotline", "Takes reports from the public."},
	{"police", "Police", "Investigates offences."},
	{"fiu", "Financial intelligence unit", "Receives and analyses reports of suspicious matters."},
	{"regulator", "Regulator", "Supervises a sector under law."},
	{"research", "Research", "Studies the problem; receives no lead."},
}}

// Strengths say how strongly one observation alone supports its suspicion; the
// code is also the weight it brings to an opening rule.
var Strengths = List{"strength", []Word{
	{"1", "1: weak indication", "One indicator that also has ordinary explanations."},
	{"2", "2: clear indication", "Several indicators of different kinds, or one that is hard to explain otherwise."},
	{"3", "3: strong indication", "Direct evidence in the contributor's own records, checked by a person."},
}}

// LeadStates are the states of a lead in the order in which it passes through
// them. Each step is taken by the hub's clock or by a named act in the log.
var LeadStates = List{"lead state", []Word{
	{"forming", "Forming", "The rule is not met. Nobody can see it."},
	{"ready", "Ready", "The rule is met. The authority sees an opaque id and the conditions that are satisfied."},
	{"requested", "Requested", "The authority has asked for the opening."},
	{"approved", "Approved", "The approvals that the rule needs are there."},
	{"logged", "Logged", "The request is in the transparency log, under a witnessed checkpoint."},
	{"released", "Released", "Enough key holders have answered; the authority can read the lead."},
	{"deconflicted", "Deconflicted", "Checked against work that is under way elsewhere."},
	{"decided", "Decided", "An authority has decided what follows."},
	{"outcome_released", "Outcome released", "What came of it has gone back to the contributors, where the law allows."},
}}

// MemberStatuses say whether a member takes part.
var MemberStatuses = List{"member status", []Word{
	{"active", "Active", "May contribute; its observations count."},
	{"suspended", "Suspended", "May not contribute; its observations do not count until the suspension ends."},
}}

// OrganisationKinds say what sort of body an organisation is.
var OrganisationKinds = List{"kind of organisation", []Word{
	{"public_authority", "Public authority", "Acts under public law: police, a financial intelligence unit, a regulator, a court."},
	{"company", "Company", "Acts under private law and for profit."},
	{"not_for_profit", "Not for profit", "A charity, an association, a foundation."},
	{"research", "Research body", "A university or an institute."},
	{"international", "International body", "Founded by several states."},
}}
