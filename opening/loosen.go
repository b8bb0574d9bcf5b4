package opening

import (
	"bytes"
)

// Loosens reports that next allows something that old does not: a larger
// budget, a new class, member, approver, legal basis or rule, a shorter delay,
// breaking the glass or doing so sooner, a longer life of the keys, another authority. Such a change waits [LooseningDelay] before it binds;
// suspensions and other tightenings bind at once.
func Loosens(old, next Manifest) bool {
	return loosensClasses(old, next) || loosensPeople(old, next) || loosensGrounds(old, next) || addsAuditor(old, next) || loosensQueryAudit(old, next) ||
		next.Delays.OpenSeconds < old.Delays.OpenSeconds ||
		next.Delays.ReleaseEvery < old.Delays.ReleaseEvery ||
		old.Emergency.loosens(next.Emergency) ||
		(old.KeysEnd > 0 && (next.KeysEnd == 0 || next.KeysEnd > old.KeysEnd)) ||
		next.Authority.ID != old.Authority.ID || next.Authority.Entity != old.Authority.Entity ||
		!bytes.Equal(next.Authority.HPKE, old.Authority.HPKE) ||
		addsWord(old.Scope.Offences, next.Scope.Offences) || addsWord(old.Scope.Roles, next.Scope.Roles)
}

func loosensClasses(old, next Manifest) bool {
	for _, c := range next.Classes {
		was, ok := old.Class(c.Class)
		if !ok || c.DailyBudget > was.DailyBudget || c.RuleVersion != was.RuleVersion {
			return true
		}
	}
	return false
}

func loosensPeople(old, next Manifest) bool {
	for _, m := range next.Members {
		was, ok := old.Member(m.ID)
		if !ok || m.Entity != was.Entity || m.Sector != was.Sector || !m.Key.Equal(was.Key) ||
			m.Admitted < was.Admitted || (m.Status == Active && was.Status != Active) {
			return true
		}
	}
	for _, a := range next.Approvers {
		was, ok := old.Approver(a.ID)
		if !ok || a.Role != was.Role || a.Entity != was.Entity || !a.Key.Equal(was.Key) {
			return true
		}
	}
	return false
}

func loosensGrounds(old, next Manifest) bool {
	known := make(map[LegalBasis]bool)
	for _, b := range old.LegalBases {
		known[b] = true
	}
	for _, b := range next.LegalBases {
		if !known[b] {
			return true
		}
	}
	for _, r := range next.Rules {
		if _, ok := old.Rule(r.Hash()); !ok {
			return true
		}
	}
	return false
}

func addsWord(old, next []string) bool {
	known := make(map[string]bool)
	for _, w := range old {
		known[w] = true
	}
	for _, w := range next {
		if !known[w] {
			return true
		}
	}
	return false
}
