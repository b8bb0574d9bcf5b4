package keyholder

// Frozen counts the observations that this holder keeps frozen, and those of
// them that nobody has decided in time.
func (s *Server) Frozen() (frozen, escalated int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.denials.FrozenCount(s.clock.Now())
}
