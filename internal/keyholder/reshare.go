package keyholder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/signed"
)

// A ReshareBoard is the public place where a resharing's messages are posted;
// the hub keeps one. It is not trusted: governance signed the order, dealers and
// new holders sign what they say, and a record counts only with the word of
// every new holder.
type ReshareBoard interface {
	View(ctx context.Context) (client.ReshareView, error)
	Post(ctx context.Context, order opening.Hash, step string, place int, message []byte) error
	Destroyed(ctx context.Context, generation, index int, o signed.Object) error
}

// Reshare does what this holder can do now for the resharing that is open, and
// says where it stands. A complete record is followed first: the new shares come
// into force and the old ones are destroyed. Called again and again it takes a
// run to its end; stopped anywhere, it goes on from what is on disk.
func (s *Server) Reshare(ctx context.Context, board ReshareBoard) (state string, err error) {
	s.sharing.Lock()
	defer s.sharing.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.saw = state; err != nil {
			s.saw = "the last look at the board failed: " + err.Error()
		}
	}()
	v, err := board.View(ctx)
	if err != nil {
		return "", fmt.Errorf("read the board: %w", err)
	}
	if err := s.follow(v.Reshares); err != nil {
		return "", err
	}
	if err := s.tellDestroyed(ctx, board, v.Destroyed); err != nil {
		return "", err
	}
	if v.Open != nil {
		return s.takePart(ctx, board, *v.Open)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standing(), nil
}

// standing says what this holder has.
func (s *Server) standing() string {
	k := s.keys
	switch {
	case k.index == 0:
		return fmt.Sprintf("generation %d of the key shares is in force; this holder has no place in it", k.committee.Generation)
	case len(k.shares) == 0:
		return fmt.Sprintf("generation %d of the key shares is in force; this holder's share of it is lost and comes back with the next resharing", k.committee.Generation)
	}
	return fmt.Sprintf("generation %d of the key shares is in force", k.committee.Generation)
}

// point is where a test may stop a run.
func (s *Server) point(name string) error {
	if s.at == nil {
		return nil
	}
	return s.at(name)
}

// follow takes the newest complete record into force. One that is older than
// what this holder follows, or another of the same generation, is refused.
func (s *Server) follow(list []client.Reshare) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.keys.setup
	next := own
	next.Reshares = list
	if err := own.Follows(next); err != nil {
		return fault.Wrap(fault.Conflict, "What the hub shows of the key shares was refused: "+err.Error()+".", err)
	}
	if len(list) == len(own.Reshares) {
		return s.forgetNext()
	}
	if err := next.Verify(own.Transcript.Hash()); err != nil {
		return fault.Wrap(fault.Conflict, "What the hub shows of the key shares was refused: "+err.Error()+".", err)
	}
	return s.switchTo(next)
}

// switchTo puts the shares of the newest generation in the place of the old
// ones, by one rename: before it the old shares are in force, after it the new.
func (s *Server) switchTo(next client.Setup) error {
	committee := next.Committee()
	f := shareFile{Plan: next.Plan, Transcript: next.Transcript, Reshares: next.Reshares, Index: committee.Place(s.who.Card().Key),
		Shares: map[string][]byte{}, Over: s.keys.over}
	if len(s.keys.shares) > 0 {
		f.Over = append(slices.Clone(f.Over), s.keys.committee.Generation)
	}
	if f.Index > 0 {
		p, err := readNext(s.dir, next.Reshares[len(next.Reshares)-1].Order.Digest())
		if err != nil {
			return err
		}
		if p != nil && opening.Hash(p.Record.Hash()) == committee.Record {
			f.Shares = p.Shares
		}
	}
	k, err := f.keys(s.who)
	if err != nil {
		return err
	}
	if err := s.point("before the switch"); err != nil {
		return err
	}
	if err := replaceSecret(s.dir, sharesFile, f); err != nil {
		return unavailable(err)
	}
	s.keys = k
	s.log.Info("key shares switched", "generation", committee.Generation, "standing", s.standing())
	if err := s.point("after the switch"); err != nil {
		return err
	}
	return s.forgetNext()
}

// tellDestroyed says, signed, of which generations this holder has destroyed its
// share; the hub's log records it. What the board shows already is not said
// again.
func (s *Server) tellDestroyed(ctx context.Context, board ReshareBoard, told []signed.Object) error {
	s.mu.Lock()
	k := s.keys
	s.mu.Unlock()
	all := k.setup.Committees()
	for _, g := range k.over {
		index := all[g].Place(s.who.Card().Key)
		said := func(o signed.Object) bool { _, err := k.setup.OpenDestroyed(g, index, o); return err == nil }
		if index == 0 || slices.ContainsFunc(told, said) {
			continue
		}
		o, err := signed.Sign(client.DestroyedDomain, s.who.ID, s.who.signKey(), client.Destroyed{Pool: k.plan.Pool, Epoch: k.plan.Epoch,
			Generation: g, Holder: s.who.ID, Index: index, Record: all[g+1].Record, Time: s.clock.Now().UnixMicro()})
		if err != nil {
			return err
		}
		if err := s.point("before the statement"); err != nil {
			return err
		}
		if err := board.Destroyed(ctx, g, index, o); err != nil {
			return fmt.Errorf("say that the share of generation %d is destroyed: %w", g, err)
		}
		s.log.Info("key share destroyed", "generation", g)
	}
	return nil
}

// A post is a message that is on disk here and not on the board yet.
type post struct {
	order   opening.Hash
	step    string
	place   int
	message []byte
}

// takePart deals, takes or complains, whatever is due now in the open run.
func (s *Server) takePart(ctx context.Context, board ReshareBoard, run client.ReshareRun) (string, error) {
	s.mu.Lock()
	posts, state, err := s.due(run)
	s.mu.Unlock()
	if err != nil {
		return "", err
	}
	for _, p := range posts {
		if err := s.point("before the " + p.step + " is posted"); err != nil {
			return "", err
		}
		if err := board.Post(ctx, p.order, p.step, p.place, p.message); err != nil {
			return "", fmt.Errorf("post the %s: %w", p.step, err)
		}
		s.log.Info("resharing", "posted", p.step)
		if err := s.point("after the " + p.step + " is posted"); err != nil {
			return "", err
		}
	}
	return state, nil
}

// due checks the order and says what this holder has to post; all of that is on
// disk before it is returned, so that it never says two things in one place.
func (s *Server) due(run client.ReshareRun) (posts []post, state string, err error) {
	o, err := s.checkOrder(run.Order)
	if err != nil {
		return nil, "", fault.Wrap(fault.Forbidden, "The order to reshare was refused: "+err.Error()+".", err)
	}
	digest := run.Order.Digest()
	state = fmt.Sprintf("resharing to generation %d, attempt %d", o.Generation, o.Attempt)
	ready, err := s.consents(o, digest)
	if err != nil {
		return nil, "", err
	}
	if !ready {
		return nil, state + fmt.Sprintf(" waits for this holder's operator: it changes who holds the shares, or this holder has confirmed another order before it. Check order %s and allow it with `parallax keyholder consent`", digest), nil
	}
	note, err := s.begin(o, digest)
	if err != nil {
		return nil, "", err
	}
	put := func(step string, place int, message []byte, shown [][]byte) error {
		had := shown[place-1]
		if len(had) > 0 && string(had) != string(message) {
			return fmt.Errorf("the board shows another %s in this holder's name than it made: its key is used elsewhere, or the board is wrong", step)
		}
		if len(had) == 0 {
			posts, shown[place-1] = append(posts, post{digest, step, place, message}), message
		}
		return nil
	}
	index := client.Committee{Holders: o.Holders}.Place(s.who.Card().Key)
	if index > 0 {
		if err := s.runKey(&note, digest, index); err != nil {
			return nil, "", err
		}
		if err := put(client.StepKey, index, note.Key, run.Keys); err != nil {
			return nil, "", err
		}
	}
	_, params, _, all, err := s.keys.setup.Params(run)
	if err != nil {
		return nil, "", err
	}
	if !all {
		return posts, state + waits("key", silent(run.Keys), func(i int) string { return params.To[i].ID }), nil
	}
	if place := slices.Index(o.Dealers, s.keys.index) + 1; place > 0 && s.keys.index > 0 && len(s.keys.shares) > 0 {
		if err := s.deal(&note, digest, params, place); err != nil {
			return nil, "", err
		}
		if err := put(client.StepDeal, place, note.Deal, run.Deals); err != nil {
			return nil, "", err
		}
	}
	if missing := silent(run.Deals); index == 0 || len(missing) > 0 {
		return posts, state + waits("deal", missing, func(i int) string { return params.From[i].ID }), nil
	}
	word, err := s.word(&note, o, run, params, index)
	if err != nil {
		return nil, "", err
	}
	err = put(client.StepTake, index, word, run.Takes)
	return posts, state + waits("word", silent(run.Takes), func(i int) string { return params.To[i].ID }), err
}

// silent lists the places, from 0, that are empty.
func silent(list [][]byte) (out []int) {
	for i, m := range list {
		if len(m) == 0 {
			out = append(out, i)
		}
	}
	return out
}

func waits(what string, missing []int, name func(int) string) string {
	if len(missing) == 0 {
		return ""
	}
	ids := make([]string, len(missing))
	for n, i := range missing {
		ids[n] = name(i)
	}
	return " waits for the " + what + " of " + strings.Join(ids, ", ")
}

// checkOrder decides by what this holder knows itself, whatever the hub says.
func (s *Server) checkOrder(so client.SignedOrder) (client.ReshareOrder, error) {
	o, err := so.Open(s.keys.plan.Governance)
	if err != nil {
		return o, err
	}
	if _, err := s.keys.setup.Run(o, so.Digest()); err != nil {
		return o, err
	}
	now := s.clock.Now().UnixMicro()
	if now >= o.Expires || o.Issued > now+signed.Window.Microseconds() {
		return o, errors.New("it has expired, or is dated in the future")
	}
	if index := (client.Committee{Holders: o.Holders}).Place(s.who.Card().Key); index > 0 {
		if err := ownPlace(o.Holders, s.who, index); err != nil {
			return o, err
		}
	}
	if s.state.manifest.Version == 0 {
		return o, nil // a new holder is told the manifest by the dealers: word
	}
	return o, o.Under(s.state.manifest)
}

// runKey makes the key that this holder's new shares are sealed to, for this run
// alone, and keeps it.
func (s *Server) runKey(note *acted, digest opening.Hash, index int) error {
	if len(note.Key) > 0 {
		return nil
	}
	private, public, err := seal.GenerateHPKE()
	if err != nil {
		return err
	}
	o, err := signed.Sign(client.RunKeyDomain, s.who.ID, s.who.signKey(), client.RunKey{Order: digest, Index: index, HPKE: public})
	if err != nil {
		return err
	}
	note.HPKE = private
	if note.Key, err = signed.Marshal(o); err != nil {
		return err
	}
	return s.keepNote(*note, "the key")
}

// deal makes this dealer's message once and keeps it.
func (s *Server) deal(note *acted, digest opening.Hash, params dkg.Resharing, place int) error {
	if len(note.Deal) > 0 {
		return nil
	}
	d := client.ReshareDeal{}
	var err error
	if d.Deal, err = params.Deal(place-1, s.who.signKey(), s.keys.shares, rand.Reader); err != nil {
		return err
	}
	if d.Handover, err = s.handOver(params, digest); err != nil {
		return err
	}
	if note.Deal, err = signed.Marshal(d); err != nil {
		return err
	}
	return s.keepNote(*note, "the deal")
}

// word is this holder's word about the run: that it has stored its shares, or
// whose deal is bad. It is on disk with the shares before it is given.
func (s *Server) word(note *acted, o client.ReshareOrder, run client.ReshareRun, params dkg.Resharing, index int) ([]byte, error) {
	digest := run.Order.Digest()
	if len(note.Complaint) > 0 {
		return note.Complaint, nil
	}
	if p, err := readNext(s.dir, digest); err != nil || p != nil {
		if err == nil && len(p.Word) == 0 {
			err = errors.New("the kept shares lack this holder's word")
		}
		if err != nil {
			return nil, err
		}
		return p.Word, nil
	}
	handed := make([]client.Handed, len(run.Deals))
	deals, bad := make([][]byte, len(run.Deals)), error(nil)
	for i, raw := range run.Deals {
		d, err := client.CheckDeal(params, digest, i+1, raw)
		if err != nil {
			return nil, fmt.Errorf("the board shows a deal of %s that it cannot have taken: %w", params.From[i].ID, err)
		}
		deals[i] = d.Deal
		if handed[i], err = openHandover(note.HPKE, digest, d.Handover, index); err != nil {
			bad = &dkg.ReshareFault{ID: params.From[i].ID, Reason: "what it handed over does not open"}
		}
	}
	record := dkg.Reshared{Run: params, Deals: deals}
	shares, err := record.Take(index, note.HPKE)
	if err == nil {
		err = bad
	}
	var f *dkg.ReshareFault
	if errors.As(err, &f) {
		if note.Complaint, err = record.Complain(index, s.who.signKey(), f); err != nil {
			return nil, err
		}
		s.log.Warn("complaint about a deal", "holder", f.ID, "reason", f.Reason)
		return note.Complaint, s.keepNote(*note, "the complaint")
	}
	if err != nil {
		return nil, err
	}
	if err := s.adopt(handed); err != nil {
		return nil, err
	}
	if err := o.Under(s.state.manifest); err != nil {
		return nil, err
	}
	p := nextShares{Order: run.Order, Record: record, Index: index, Shares: make(map[string][]byte)}
	for label, x := range shares {
		p.Shares[label] = x.Bytes()
	}
	if p.Word, err = record.Confirm(index, s.who.signKey()); err != nil {
		return nil, err
	}
	return p.Word, s.keepNext(digest, p)
}
