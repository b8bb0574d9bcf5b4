package bench

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"parallax/client"
	"parallax/group"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
)

const (
	poolID = "bench"
	epoch  = "2026-11"
	t, n   = 3, 5
)

// keys are what a ceremony of five holders in this process dealt.
type keys struct {
	pub    group.PublicKey
	shares []group.Share
}

// ceremony runs the real key ceremony in memory, so that no dealer is part of
// the program, and gives the key with this label.
func ceremony(label string) (keys, error) {
	params := dkg.Params{Pool: poolID, Epoch: epoch, Attempt: 1, T: t, N: n, Labels: []string{string(selector.Email), client.PayloadLabel}, Context: make([]byte, 32)}
	signs, seals := make([]ed25519.PrivateKey, n), make([][]byte, n)
	for i := range n {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return keys{}, err
		}
		sk, pk, err := seal.GenerateHPKE()
		if err != nil {
			return keys{}, err
		}
		signs[i], seals[i] = priv, sk
		params.Holders = append(params.Holders, dkg.Holder{Index: i + 1, ID: fmt.Sprint("holder-", i+1), SignKey: pub, HPKEKey: pk})
	}
	parties := make([]*dkg.Party, n)
	for i := range n {
		p, err := dkg.New(params, i+1, signs[i], seals[i], rand.Reader)
		if err != nil {
			return keys{}, err
		}
		parties[i] = p
	}
	return rounds(parties, label)
}

func rounds(parties []*dkg.Party, label string) (keys, error) {
	var last [][]byte
	for _, step := range []func(*dkg.Party, [][]byte) ([]byte, error){
		func(p *dkg.Party, _ [][]byte) ([]byte, error) { return p.Round1() },
		(*dkg.Party).Round2, (*dkg.Party).Round3, (*dkg.Party).Round4,
	} {
		next := make([][]byte, len(parties))
		for i, p := range parties {
			m, err := step(p, last)
			if err != nil {
				return keys{}, err
			}
			next[i] = m
		}
		last = next
	}
	var k keys
	for _, p := range parties {
		r, err := p.Finish(last)
		if err != nil {
			return keys{}, err
		}
		k.shares = append(k.shares, r.Shares[label])
		for _, pub := range r.Transcript.Keys {
			if pub.Label == label {
				k.pub = pub
			}
		}
	}
	return k, k.pub.Check()
}
