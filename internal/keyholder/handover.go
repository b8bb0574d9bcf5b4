package keyholder

import (
	"parallax/client"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/signed"
)

// handOver seals to each new holder what this one knows that forbids openings,
// the manifest that it follows and the head that it cosigned last. A denial that
// counts as done is known to n-t+1 holders, so at least one of t dealers knows
// it.
func (s *Server) handOver(params dkg.Resharing, digest opening.Hash) (signed.Object, error) {
	last := s.state.last()
	raw, err := signed.Marshal(client.Handed{Manifest: s.state.signed, Denials: append([]signed.Object{}, s.state.denialRaw...), LogSize: last.Size, LogRoot: last.Root})
	if err != nil {
		return signed.Object{}, err
	}
	h := client.Handover{Order: digest}
	for i, to := range params.To {
		sealed, err := seal.SealTo(to.HPKEKey, client.HandoverInfo(digest, s.who.ID, i+1), raw)
		if err != nil {
			return signed.Object{}, err
		}
		h.Sealed = append(h.Sealed, sealed)
	}
	return signed.Sign(client.HandoverDomain, s.who.ID, s.who.signKey(), h)
}

// openHandover reads what a dealer sealed to this holder; the signature was
// checked with the deal.
func openHandover(hpke []byte, digest opening.Hash, o signed.Object, index int) (client.Handed, error) {
	var h client.Handover
	var out client.Handed
	if err := signed.Unmarshal(o.Body, &h); err != nil {
		return out, err
	}
	raw, err := seal.OpenFrom(hpke, client.HandoverInfo(digest, o.Key, index), h.Sealed[index-1])
	if err != nil {
		return out, err
	}
	return out, signed.Unmarshal(raw, &out)
}

// adopt starts from the dealers' memory: the newest manifest and the largest
// head where this holder has none, and every denial that it did not know and
// whose author the manifest still names.
func (s *Server) adopt(list []client.Handed) error {
	if err := s.adoptManifest(list); err != nil {
		return err
	}
	if err := s.adoptHead(list); err != nil {
		return err
	}
	unknown := 0
	for _, h := range list {
		for _, o := range h.Denials {
			if s.state.denied[authored(o)] {
				continue
			}
			if _, err := opening.OpenDenial(s.state.manifest, s.keys.plan.Governance, o); err != nil {
				unknown++
				continue
			}
			if err := s.journal.append(kindDenial, o); err != nil {
				return unavailable(err)
			}
			if err := s.state.addDenial(s.keys.plan.Governance, o); err != nil {
				return err
			}
		}
	}
	if unknown > 0 {
		s.log.Warn("denials handed over by authors whom the manifest does not name", "count", unknown)
	}
	return nil
}

func (s *Server) adoptManifest(list []client.Handed) error {
	if s.state.manifest.Version > 0 {
		return nil
	}
	var best opening.SignedManifest
	version := 0
	for _, h := range list {
		m, err := h.Manifest.Open(s.keys.plan.Governance)
		if err == nil && m.Version > version {
			best, version = h.Manifest, m.Version
		}
	}
	if version == 0 {
		return nil // the caller finds that there is none
	}
	return s.takeManifests([]opening.SignedManifest{best})
}

func (s *Server) adoptHead(list []client.Handed) error {
	if len(s.state.witness) > 0 {
		return nil
	}
	var head witnessed
	for _, h := range list {
		if h.LogSize > head.Size {
			head = witnessed{Size: h.LogSize, Root: h.LogRoot, Time: s.clock.Now().UnixMicro()}
		}
	}
	if head.Size == 0 {
		return nil
	}
	if err := s.journal.append(kindWitness, head); err != nil {
		return unavailable(err)
	}
	s.state.witness = append(s.state.witness, head)
	return nil
}
