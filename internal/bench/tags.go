package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"parallax/group"
	"parallax/oprf"
	"parallax/oprf/peer"
	"parallax/selector"
)

func size(o Options, full, quick int) int {
	if o.Quick {
		return quick
	}
	return full
}

// inputs are OPRF inputs of made-up addresses.
func inputs(count int) ([][]byte, error) {
	out := make([][]byte, count)
	for i := range out {
		forms, err := selector.Normalise(selector.Email, fmt.Sprintf("person.%d@mail.example", i), selector.Hint{})
		if err != nil {
			return nil, err
		}
		out[i] = forms[0].Input()
	}
	return out, nil
}

// desk is the bed on which both desks tokenise the same inputs.
type desk struct {
	keys       keys
	inputs     [][]byte
	ours, peer []oprf.Tag
}

func tokenise(_ context.Context, o Options) (job, error) {
	k, err := ceremony(string(selector.Email))
	if err != nil {
		return job{}, err
	}
	d := &desk{keys: k}
	if d.inputs, err = inputs(size(o, 1024, 64)); err != nil {
		return job{}, err
	}
	return job{items: len(d.inputs), ours: d.own, peer: d.composed, check: func(context.Context) error {
		if len(d.ours) == 0 || !slices.Equal(d.ours, d.peer) {
			return errors.New("the peer's tags are not ours")
		}
		return nil
	}}, nil
}

func (d *desk) own(_ context.Context, w *watch) error {
	w.on()
	blinds, points, err := blindAll(d.inputs)
	w.off()
	if err != nil {
		return err
	}
	var answers []oprf.Answer
	for _, s := range d.keys.shares[:t] {
		a, err := oprf.Evaluate(s, points, rand.Reader)
		if err != nil {
			return err
		}
		answers = append(answers, a)
	}
	w.on()
	defer w.off()
	combined, err := oprf.Combine(d.keys.pub, points, answers)
	if err != nil {
		return err
	}
	d.ours = d.ours[:0]
	for i, in := range d.inputs {
		out, err := oprf.Finalize(in, blinds[i], combined[i])
		if err != nil {
			return err
		}
		d.ours = append(d.ours, oprf.Possess(out, string(selector.Email)).Tag())
	}
	return nil
}

func blindAll(inputs [][]byte) ([]oprf.Blinding, []group.Point, error) {
	blinds, points := make([]oprf.Blinding, len(inputs)), make([]group.Point, len(inputs))
	for i, in := range inputs {
		var err error
		if blinds[i], points[i], err = oprf.Blind(in, rand.Reader); err != nil {
			return nil, nil, err
		}
	}
	return blinds, points, nil
}

func (d *desk) composed(_ context.Context, w *watch) error {
	w.on()
	b, points, err := peer.Blind(d.inputs)
	w.off()
	if err != nil {
		return err
	}
	var answers []peer.Answer
	for _, s := range d.keys.shares[:t] {
		a, err := peer.Evaluate(s, points)
		if err != nil {
			return err
		}
		answers = append(answers, a)
	}
	w.on()
	defer w.off()
	outs, err := b.Finish(d.keys.pub, answers)
	if err != nil {
		return err
	}
	d.peer = d.peer[:0]
	for _, out := range outs {
		d.peer = append(d.peer, oprf.Possess(out, string(selector.Email)).Tag())
	}
	return nil
}

func evaluate(_ context.Context, o Options) (job, error) {
	k, err := ceremony(string(selector.Email))
	if err != nil {
		return job{}, err
	}
	in, err := inputs(size(o, 1024, 64))
	if err != nil {
		return job{}, err
	}
	_, points, err := blindAll(in)
	if err != nil {
		return job{}, err
	}
	var ours oprf.Answer
	var theirs peer.Answer
	return job{items: len(points),
		ours: func(_ context.Context, w *watch) (err error) {
			w.on()
			defer w.off()
			ours, err = oprf.Evaluate(k.shares[0], points, rand.Reader)
			return err
		},
		peer: func(_ context.Context, w *watch) (err error) {
			w.on()
			defer w.off()
			theirs, err = peer.Evaluate(k.shares[0], points)
			return err
		},
		check: func(context.Context) error { return crossCheck(k.pub, points, ours, theirs) },
	}, nil
}

// crossCheck lets each side verify the other's proof.
func crossCheck(pub group.PublicKey, points []group.Point, ours oprf.Answer, theirs peer.Answer) error {
	if len(ours.Evaluated) == 0 || !slices.Equal(ours.Evaluated, theirs.Evaluated) {
		return errors.New("the peer's points are not ours")
	}
	blinded, err := peer.Elements(points)
	if err != nil {
		return err
	}
	_, err = peer.Verify(pub, blinded, peer.Answer{Index: ours.Index, Evaluated: ours.Evaluated, Proof: ours.Proof})
	return errors.Join(err, oprf.VerifyAnswer(pub, points, oprf.Answer{Index: theirs.Index, Evaluated: theirs.Evaluated, Proof: theirs.Proof}))
}
