package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
	"parallax/tlog"
)

// PathReshare is where the hub keeps the records of resharings and the board of
// the run that is open.
const PathReshare = "/v1/reshare"

// Domains of what holders sign in a run, besides the messages of dkg.
const (
	HandoverDomain  = "parallax/reshare-handover/v1"
	DestroyedDomain = "parallax/shares-destroyed/v1"
)

// Steps of a run on the board.
const (
	StepKey  = "key"  // by index in the new committee: a canonical signed RunKey
	StepDeal = "deal" // by place among the order's dealers
	StepTake = "take" // by index in the new committee
)

// A ReshareDeal is what one dealer posts.
type ReshareDeal struct {
	Deal     []byte        `json:"deal"` // of dkg
	Handover signed.Object `json:"handover"`
}

// A Handover is what a dealer tells the new holders under HandoverDomain: what
// it knows that forbids openings, the manifest that it follows and the head
// that it cosigned last. A new holder starts from the dealers' memory, not from
// nothing: it goes on refusing what was forbidden and stays on the same log.
type Handover struct {
	Order  opening.Hash `json:"order"`
	Sealed [][]byte     `json:"sealed"` // HPKE of a canonical Handed, to new holder i at i-1
}

// Params are the parameters of an open run: with the new holders' keys once all
// are there, else ready is false.
func (s Setup) Params(run ReshareRun) (o ReshareOrder, params dkg.Resharing, keys []signed.Object, ready bool, err error) {
	if o, err = run.Order.Open(s.Plan.Governance); err != nil {
		return o, params, nil, false, err
	}
	if params, err = s.Run(o, run.Order.Digest()); err != nil {
		return o, params, nil, false, err
	}
	if len(run.Keys) != o.N || len(run.Deals) != len(o.Dealers) || len(run.Takes) != o.N {
		return o, params, nil, false, errors.New("the board shows another number of places than the order has")
	}
	for _, raw := range run.Keys {
		if len(raw) == 0 {
			return o, params, nil, false, nil
		}
		var k signed.Object
		if err := signed.Unmarshal(raw, &k); err != nil {
			return o, params, nil, false, err
		}
		keys = append(keys, k)
	}
	params, err = s.RunWith(o, run.Order.Digest(), keys)
	return o, params, keys, true, err
}

// Deals are the messages of dkg in what dealers posted.
func Deals(posted [][]byte) ([][]byte, error) {
	out := make([][]byte, len(posted))
	for i, raw := range posted {
		var d ReshareDeal
		if err := signed.Unmarshal(raw, &d); err != nil {
			return nil, err
		}
		out[i] = d.Deal
	}
	return out, nil
}

// Handed is the sealed part of a Handover.
type Handed struct {
	Manifest opening.SignedManifest `json:"manifest"`
	Denials  []signed.Object        `json:"denials"` // as the dealer took them
	LogSize  int64                  `json:"log_size"`
	LogRoot  tlog.Hash              `json:"log_root"`
}

// HandoverInfo is the HPKE info that binds a handover to its run and its ends.
func HandoverInfo(order opening.Hash, from string, to int) []byte {
	return fmt.Appendf(nil, "%s|%s|%s|%d", HandoverDomain, order, from, to)
}

// CheckDeal verifies what anybody can see of a dealer's message in a run.
func CheckDeal(run dkg.Resharing, digest opening.Hash, place int, raw []byte) (ReshareDeal, error) {
	var d ReshareDeal
	if place < 1 || place > len(run.From) {
		return d, fmt.Errorf("the order names no dealer %d", place)
	}
	if err := signed.Unmarshal(raw, &d); err != nil {
		return d, err
	}
	if err := run.CheckDeal(place-1, d.Deal); err != nil {
		return d, err
	}
	var h Handover
	who := run.From[place-1]
	if err := d.Handover.Open(HandoverDomain, who.SignKey, &h); err != nil || d.Handover.Key != who.ID || h.Order != digest || len(h.Sealed) != run.N {
		return d, fmt.Errorf("key holder %s: what it hands over is not signed by it for this run", who.ID)
	}
	return d, nil
}

// A Destroyed says, under its holder's signature and DestroyedDomain, that the
// holder has destroyed its share of a generation, because the record named here
// is complete.
type Destroyed struct {
	Pool       string       `json:"pool"`
	Epoch      string       `json:"epoch"`
	Generation int          `json:"generation"` // of the share
	Holder     string       `json:"holder"`
	Index      int          `json:"index"`
	Record     opening.Hash `json:"record"` // of the generation that took its place
	Time       int64        `json:"time"`
}

// OpenDestroyed verifies such a statement by the holder at index of a
// generation that is over.
func (s Setup) OpenDestroyed(generation, index int, o signed.Object) (Destroyed, error) {
	var d Destroyed
	all := s.Committees()
	if generation < 0 || generation >= len(all)-1 || index < 1 || index > all[generation].N {
		return d, errors.New("there is no share of this place that could be over")
	}
	h := all[generation].Holders[index-1]
	if err := o.Open(DestroyedDomain, h.Key, &d); err != nil {
		return d, err
	}
	if o.Key != h.ID || d.Holder != h.ID || d.Pool != s.Plan.Pool || d.Epoch != s.Plan.Epoch || d.Generation != generation || d.Index != index || d.Record != all[generation+1].Record {
		return d, errors.New("the statement is of another holder, share or record")
	}
	return d, nil
}

// ReshareView is what the hub's board shows.
type ReshareView struct {
	// Reshares are the complete generations, the first after the ceremony first.
	Reshares []Reshare   `json:"reshares"`
	Open     *ReshareRun `json:"open"` // null: no run is open
	// Destroyed are the statements about shares that are over.
	Destroyed []signed.Object `json:"destroyed"`
}

// A ReshareRun is the run that is open: its order and what was said so far;
// what is not there yet is empty.
type ReshareRun struct {
	Order SignedOrder `json:"order"`
	Keys  [][]byte    `json:"keys"`  // canonical signed RunKey, by new holder
	Deals [][]byte    `json:"deals"` // canonical ReshareDeal, by place among the dealers
	Takes [][]byte    `json:"takes"` // by new holder
}

// A ReshareBoard is the hub's board for resharings.
type ReshareBoard struct {
	hub  string
	http *http.Client
}

// NewReshareBoard names the board of a hub.
func NewReshareBoard(hub string, h *http.Client) *ReshareBoard { return &ReshareBoard{hub, h} }

// View reads all of it.
func (b *ReshareBoard) View(ctx context.Context) (ReshareView, error) {
	var v ReshareView
	err := Get(ctx, b.http, b.hub+PathReshare, &v)
	return v, err
}

// Post puts a message of a run up once; the same bytes again change nothing.
func (b *ReshareBoard) Post(ctx context.Context, order opening.Hash, step string, place int, message []byte) error {
	return Post(ctx, b.http, fmt.Sprintf("%s%s/%s/%s/%d", b.hub, PathReshare, order, step, place), CeremonyMessage{message}, nil)
}

// Destroyed puts up a statement that a share is destroyed.
func (b *ReshareBoard) Destroyed(ctx context.Context, generation, index int, o signed.Object) error {
	return Post(ctx, b.http, fmt.Sprintf("%s%s/destroyed/%d/%d", b.hub, PathReshare, generation, index), o, nil)
}

// PostOrder gives an order to the hub.
func PostOrder(ctx context.Context, h *http.Client, hub string, o SignedOrder) error {
	return Post(ctx, h, hub+PathReshare, o, nil)
}

// Progress is how far the open run has come, in words.
type Progress struct {
	Generation int             `json:"generation"` // that it makes
	Attempt    int             `json:"attempt"`
	Order      opening.Hash    `json:"order"`
	Reason     string          `json:"reason"`
	Expires    int64           `json:"expires"`
	Dealers    []PartyProgress `json:"dealers"`
	Holders    []PartyProgress `json:"holders"` // the new committee
	// Ended says why the run came to nothing, and names who is at fault as far as
	// the messages show it; empty while it can still be completed.
	Ended string `json:"ended,omitempty"`
}

// States of a party in a run.
const (
	PartySilent    = "silent"
	PartyReady     = "ready" // its key for the run is there
	PartyDealt     = "dealt"
	PartyConfirmed = "confirmed"
	PartyComplains = "complains"
)

// A PartyProgress is one party's part.
type PartyProgress struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// Progress reads a run as anybody can, from what its parties signed.
func (s Setup) Progress(run ReshareRun) (Progress, error) {
	o, params, _, ready, err := s.Params(run)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Generation: o.Generation, Attempt: o.Attempt, Order: run.Order.Digest(), Reason: o.Reason, Expires: o.Expires}
	silent := false
	for i, h := range params.From {
		state := PartySilent
		if ready && len(run.Deals[i]) > 0 {
			state = PartyDealt
			if _, err := CheckDeal(params, p.Order, i+1, run.Deals[i]); err != nil {
				p.Ended = err.Error()
			}
		}
		silent = silent || state == PartySilent
		p.Dealers = append(p.Dealers, PartyProgress{h.ID, state})
	}
	for i, h := range params.To {
		state := PartySilent
		if len(run.Keys[i]) > 0 {
			state = PartyReady
		}
		if ready && len(run.Takes[i]) > 0 {
			state = PartyConfirmed
			complaint, err := params.CheckWord(i+1, run.Takes[i])
			if complaint != nil {
				state, p.Ended = PartyComplains, complaint.Error()
			} else if err != nil {
				p.Ended = err.Error()
			}
		}
		silent = silent || len(run.Takes[i]) == 0
		p.Holders = append(p.Holders, PartyProgress{h.ID, state})
	}
	if silent || p.Ended != "" {
		return p, nil
	}
	deals, err := Deals(run.Deals)
	if err != nil {
		return p, err
	}
	record, err := params.Collect(deals)
	if err == nil {
		_, err = record.Finish(run.Takes)
	}
	if err != nil {
		p.Ended = err.Error()
	}
	return p, nil
}
