package bench

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
)

// now is when the bench's world stands still.
var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// member is one contributor with a manifest that lets it contribute.
func member(k keys) (client.Member, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return client.Member{}, err
	}
	rule := opening.DefaultRule()
	m := client.Member{Caller: client.Caller{Sender: "bank", Key: key, Random: rand.Reader}}
	m.Setup.Transcript = dkg.Transcript{}
	k.pub.Label = client.PayloadLabel
	m.Setup.Transcript.Keys = append(m.Setup.Transcript.Keys, k.pub)
	m.Manifest = opening.Manifest{Version: 1, Pool: poolID, Epoch: epoch, Rules: []opening.Rule{rule}, CurrentRule: rule.Hash(),
		Scope:   opening.Scope{Roles: []string{"unknown"}},
		Classes: []opening.ClassRule{{Class: selector.Email, RuleVersion: selector.Email.RuleVersion(), DailyBudget: 20_000}},
		Members: []opening.Member{{ID: "bank", Name: "bank", Entity: "bank", Sector: "finance", Key: key.Public().(ed25519.PublicKey),
			Admitted: now.AddDate(0, 0, -120).UnixMicro(), Status: opening.Active}}}
	return m, nil
}

// possession stands for the key that an evaluation of the i-th selector yields.
func possession(i int) oprf.Possession {
	a, b := sha256.Sum256(fmt.Appendf(nil, "a%d", i)), sha256.Sum256(fmt.Appendf(nil, "b%d", i))
	return oprf.Possess([64]byte(append(a[:], b[:]...)), string(selector.Email))
}

// header of an observation, without tags.
func header(m client.Member) (opening.Header, error) {
	h := opening.Header{Version: opening.HeaderVersion, Pool: poolID, Epoch: epoch, Organisation: m.Sender, Sector: "finance",
		Origin: "own", Role: "unknown", Source: "b", Info: "2", Strength: 2, Kind: "account-report", Week: "2026-W44",
		Rule: m.Manifest.CurrentRule, Manifest: 1}
	_, err := rand.Read(h.Nonce[:])
	return h, err
}

// observe seals an observation through the given selectors.
func observe(m client.Member, payload []byte, of ...int) (client.Contributed, seal.Label, error) {
	h, err := header(m)
	if err != nil {
		return client.Contributed{}, seal.Label{}, err
	}
	d := client.Draft{Header: h, Payload: payload}
	for _, i := range of {
		d.Possessions = append(d.Possessions, client.TagDraft{Class: selector.Email, Possession: possession(i), Expires: now.AddDate(0, 6, 0).UnixMicro()})
	}
	return m.Seal(d)
}

func sealing(_ context.Context, o Options) (job, error) {
	k, err := ceremony(client.PayloadLabel)
	if err != nil {
		return job{}, err
	}
	private, public, err := seal.GenerateHPKE()
	if err != nil {
		return job{}, err
	}
	items, head, payload := size(o, 512, 32), make([]byte, 900), make([]byte, 1024)
	if _, err := rand.Read(payload); err != nil {
		return job{}, err
	}
	var ours seal.Sealed
	var theirs []byte
	return job{items: items,
		ours: func(_ context.Context, w *watch) (err error) {
			w.on()
			defer w.off()
			for range items {
				if ours, _, err = seal.Seal(k.pub, poolID, epoch, head, payload, rand.Reader); err != nil {
					return err
				}
			}
			return nil
		},
		peer: func(_ context.Context, w *watch) (err error) {
			w.on()
			defer w.off()
			for range items {
				if theirs, err = seal.SealTo(public, head, payload); err != nil {
					return err
				}
			}
			return nil
		},
		check: func(context.Context) error {
			opened, err := openWith(k, head, ours)
			plain, err2 := seal.OpenFrom(private, head, theirs)
			return errors.Join(err, err2, same(opened, payload), same(plain, payload))
		},
	}, nil
}

func same(got, want []byte) error {
	if !bytes.Equal(got, want) {
		return errors.New("the payload that opens is not the one that was sealed")
	}
	return nil
}

// openWith opens with the shares of the first t holders.
func openWith(k keys, head []byte, s seal.Sealed) ([]byte, error) {
	label := seal.LabelOf(head, seal.BoxDigest(s.Box))
	var parts []seal.Partial
	for _, share := range k.shares[:t] {
		p, err := seal.Decrypt(share, poolID, epoch, s.KEM, label, rand.Reader)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return seal.Open(k.pub, poolID, epoch, head, s, parts)
}

// opener is the bed on which observations are checked and opened.
type opener struct {
	keys     keys
	list     []client.Contributed
	payload  []byte
	parts    []seal.Partial
	private  []byte
	sealed   []byte
	tags     []ed25519.PublicKey
	sigs     [][]byte
	messages []byte
}

func verify(_ context.Context, o Options) (job, error) {
	k, err := ceremony(client.PayloadLabel)
	if err != nil {
		return job{}, err
	}
	m, err := member(k)
	if err != nil {
		return job{}, err
	}
	v := &opener{keys: k, payload: make([]byte, 1024), messages: make([]byte, 64)}
	items := size(o, 256, 16)
	for i := range items {
		c, _, err := observe(m, v.payload, 4*i, 4*i+1, 4*i+2, 4*i+3)
		if err != nil {
			return job{}, err
		}
		v.list = append(v.list, c)
	}
	if err := v.preparePeer(); err != nil {
		return job{}, err
	}
	return job{items: items, ours: v.own, peer: v.plain, check: v.check}, nil
}

func (v *opener) own(_ context.Context, w *watch) error {
	w.on()
	defer w.off()
	v.parts = v.parts[:0]
	for _, c := range v.list {
		_, label, err := c.Observation.Verify()
		if err != nil {
			return err
		}
		p, err := seal.Decrypt(v.keys.shares[0], poolID, epoch, c.Observation.KEM, label, rand.Reader)
		if err != nil {
			return err
		}
		v.parts = append(v.parts, p)
	}
	return nil
}

func (v *opener) check(context.Context) error {
	last := v.list[len(v.list)-1]
	label, err := last.Observation.Label()
	if err != nil {
		return err
	}
	if err := seal.VerifyPartial(v.keys.pub, last.Observation.KEM, label, v.parts[len(v.parts)-1]); err != nil {
		return err
	}
	got, err := openWith(v.keys, last.Observation.Header, seal.Sealed{KEM: last.Observation.KEM, Box: last.Box})
	return errors.Join(err, same(got, v.payload))
}

func (v *opener) preparePeer() error {
	private, public, err := seal.GenerateHPKE()
	if err != nil {
		return err
	}
	v.private = private
	if v.sealed, err = seal.SealTo(public, nil, v.payload); err != nil {
		return err
	}
	for range 4 {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		v.tags, v.sigs = append(v.tags, pub), append(v.sigs, ed25519.Sign(key, v.messages))
	}
	return nil
}

func (v *opener) plain(_ context.Context, w *watch) error {
	w.on()
	defer w.off()
	for range v.list {
		for i, k := range v.tags {
			if !ed25519.Verify(k, v.messages, v.sigs[i]) {
				return errors.New("a plain signature does not verify")
			}
		}
		if _, err := seal.OpenFrom(v.private, nil, v.sealed); err != nil {
			return err
		}
	}
	return nil
}
