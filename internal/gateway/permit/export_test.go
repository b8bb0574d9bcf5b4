package permit

import "github.com/cedar-policy/cedar-go"

// Policies lets tests spoil a set.
func (s *Set) Policies() *cedar.PolicySet { return s.policies }
