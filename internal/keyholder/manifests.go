package keyholder

import (
	"errors"
	"time"

	"parallax/internal/fault"
	"parallax/opening"
)

// Manifest takes a chain of manifests: each must follow the one before and
// carry the governance quorum. A lower version changes nothing.
func (s *Server) Manifest(chain []opening.SignedManifest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeManifests(chain)
}

func (s *Server) takeManifests(chain []opening.SignedManifest) error {
	for _, sm := range chain {
		m, err := sm.Open(s.keys.plan.Governance)
		if err != nil {
			return fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+".", err)
		}
		if m.Version <= s.state.manifest.Version {
			if m.Version == s.state.manifest.Version && opening.Digest(sm.Body) != opening.Digest(s.state.signed.Body) {
				return fault.New(fault.Conflict, "This holder knows another manifest of the same version.")
			}
			continue
		}
		if err := s.checkManifest(m); err != nil {
			return fault.Wrap(fault.Forbidden, "The manifest was refused: "+err.Error()+".", err)
		}
		if err := s.settled(m, opening.Digest(sm.Body)); err != nil {
			return err
		}
		seen := manifestSeen{Manifest: sm, Time: s.clock.Now().UnixMicro()}
		if err := s.journal.append(kindManifest, seen); err != nil {
			return unavailable(err)
		}
		if err := s.state.setManifest(s.keys.plan.Governance, seen); err != nil {
			return err
		}
		s.log.Info("manifest accepted", "version", m.Version)
	}
	return nil
}

func (s *Server) checkManifest(m opening.Manifest) error {
	if m.Demo && !s.demo {
		return errors.New("it is for demonstration only")
	}
	if _, err := s.keys.setup.Belongs(m); err != nil {
		return err
	}
	if old := s.state.manifest; old.Version > 0 {
		if m.Version != old.Version+1 || m.Previous != opening.Digest(s.state.signed.Body) {
			return errors.New("it does not follow the version that this holder knows")
		}
	}
	return nil
}

// settled lets a manifest that loosens the one before bind only once this
// holder has known it for the delay. The date of issue that governance wrote is
// not asked: a quorum in the wrong hands could write any.
func (s *Server) settled(m opening.Manifest, digest opening.Hash) error {
	old := s.state.manifest
	if old.Version == 0 || !opening.Loosens(old, m) {
		return nil
	}
	seen, known := s.state.proposed[digest]
	if !known {
		seen = proposal{Manifest: digest, Time: s.clock.Now().UnixMicro()}
		if err := s.journal.append(kindProposal, seen); err != nil {
			return unavailable(err)
		}
		s.state.proposed[digest] = seen
		s.log.Warn("manifest that loosens noted", "version", m.Version)
	}
	binds := time.UnixMicro(seen.Time).Add(opening.LooseningDelay)
	if s.clock.Now().Before(binds) {
		return fault.Newf(fault.Forbidden, "The manifest loosens the one before: it is noted here and binds 30 days after that, from %s on. Send it again then.",
			binds.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return nil
}
