package keyholder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf/dkg"
	"parallax/signed"
)

// Files of a resharing in a holder's directory.
const (
	actedFile   = "reshare.json"
	consentFile = "reshare-consent.json"
	nextPrefix  = "shares.next-"
)

// acted is the order that this holder acts on, and what it said under it that is
// no share: messages are kept before they leave and never made twice. HPKE is
// what opens the shares that are dealt to it in this run; it is destroyed with
// the old share.
type acted struct {
	Order      opening.Hash `json:"order"`
	Generation int          `json:"generation"`
	Attempt    int          `json:"attempt"`
	HPKE       []byte       `json:"hpke"`      // X25519 private key
	Key        []byte       `json:"key"`       // canonical signed client.RunKey
	Deal       []byte       `json:"deal"`      // canonical client.ReshareDeal
	Complaint  []byte       `json:"complaint"` // of dkg
}

// nextShares are the shares of a run from before this holder gives its word
// until a record is complete: whoever has given its word can never be without
// them. Before that they are in no use.
type nextShares struct {
	Order  client.SignedOrder `json:"order"`
	Record dkg.Reshared       `json:"record"` // without the words
	Index  int                `json:"index"`
	Shares map[string][]byte  `json:"shares"`
	Word   []byte             `json:"word"`
}

// begin notes the order that this holder acts on from now on, and refuses one
// that comes before it: whoever goes on to the next attempt gives no word for
// the last.
func (s *Server) begin(o client.ReshareOrder, digest opening.Hash) (acted, error) {
	n, err := s.acted()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return n, err
	}
	switch {
	case err == nil && n.Order == digest:
		return n, nil
	case err == nil && n.Generation == o.Generation && n.Attempt >= o.Attempt:
		return n, fmt.Errorf("this holder acts on attempt %d at generation %d already; the board shows another order that is not newer", n.Attempt, n.Generation)
	}
	n = acted{Order: digest, Generation: o.Generation, Attempt: o.Attempt}
	return n, s.keepNote(n, "the order")
}

func (s *Server) acted() (n acted, err error) {
	return n, readJSON(filepath.Join(s.dir, actedFile), &n)
}

func (s *Server) keepNote(n acted, what string) error {
	raw, err := signed.Marshal(n)
	if err != nil {
		return err
	}
	if err := s.point("before " + what + " is kept"); err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(s.dir, actedFile), raw); err != nil {
		return unavailable(err)
	}
	return s.point("after " + what + " is kept")
}

func nextPath(dir string, order opening.Hash) string {
	return filepath.Join(dir, nextPrefix+order.String()[:16]+".json")
}

// readNext reads the kept shares of an order, nil if there are none.
func readNext(dir string, order opening.Hash) (*nextShares, error) {
	var p nextShares
	err := readJSON(nextPath(dir, order), &p)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p.Order.Digest() != order {
		return nil, fmt.Errorf("%s holds the shares of another order", nextPath(dir, order))
	}
	return &p, nil
}

func (s *Server) keepNext(order opening.Hash, p nextShares) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := s.point("before the new shares are kept"); err != nil {
		return err
	}
	if err := replaceFile(nextPath(s.dir, order), raw); err != nil {
		return unavailable(fmt.Errorf("the new shares could not be stored, so nothing was signed: %w", err))
	}
	return s.point("after the new shares are kept")
}

// forgetNext destroys what was kept of runs for generations up to the one in
// force: shares, and the key that they were sealed to.
func (s *Server) forgetNext() error {
	list, err := s.kept()
	if n, nerr := s.acted(); nerr == nil && n.Generation <= s.keys.committee.Generation && len(n.HPKE) > 0 {
		n.HPKE = nil
		err = errors.Join(err, replaceSecret(s.dir, actedFile, n))
	}
	for path, o := range list {
		if o.Generation <= s.keys.committee.Generation {
			err = errors.Join(err, overwrite(path), os.Remove(path), syncDir(s.dir))
		}
	}
	return err
}

// kept are the orders of which shares are kept, by file.
func (s *Server) kept() (map[string]client.ReshareOrder, error) {
	list, err := filepath.Glob(filepath.Join(s.dir, nextPrefix+"*.json"))
	if err != nil {
		return nil, err
	}
	out := make(map[string]client.ReshareOrder)
	for _, path := range list {
		var p nextShares
		if err := readJSON(path, &p); err != nil {
			return nil, err
		}
		if out[path], err = p.Order.Open(s.keys.plan.Governance); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// replaceSecret puts v in the place of a file with secrets by one rename and
// then writes over what was there. A disk or a copy may keep older bytes all the
// same: the guide says what the operator does about those.
func replaceSecret(dir, name string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := clearOld(dir, name); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := os.Link(path, filepath.Join(dir, oldPrefix+name)); err != nil {
		return err
	}
	return errors.Join(replaceFile(path, append(raw, '\n')), clearOld(dir, name))
}

const oldPrefix = ".old-"

// clearOld destroys what a replacement left of the file before. Where the
// replacement itself did not happen, the old name is still the file in force and
// only that second name goes.
func clearOld(dir, name string) error {
	old := filepath.Join(dir, oldPrefix+name)
	was, err := os.Lstat(old)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := os.Lstat(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	if !os.SameFile(was, now) {
		err = overwrite(old)
	}
	return errors.Join(err, os.Remove(old), syncDir(dir))
}

// overwrite fills a file with zeros on disk.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, st.Size()))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// consents reports whether this holder may take part by itself. A refresh gives
// new shares to those who have them already. Where anybody else would get one,
// or where this holder has given its word under another order for the same
// generation, its operator must have allowed exactly this order: governance
// alone never moves the shares.
func (s *Server) consents(o client.ReshareOrder, digest opening.Hash) (bool, error) {
	given, err := s.gaveWord(o, digest)
	if err != nil {
		return false, err
	}
	if s.keys.setup.SameCommittee(o) && !given {
		return true, nil
	}
	var allowed opening.Hash
	err = readJSON(filepath.Join(s.dir, consentFile), &allowed)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return allowed == digest, err
}

// gaveWord reports shares kept under another order for the same generation.
func (s *Server) gaveWord(o client.ReshareOrder, digest opening.Hash) (bool, error) {
	list, err := s.kept()
	for path, other := range list {
		if path != nextPath(s.dir, digest) && other.Generation == o.Generation {
			return true, err
		}
	}
	return false, err
}

// ReadOrder checks an order against what the holder in dir knows of the key
// shares, for its operator to look at.
func ReadOrder(dir string, so client.SignedOrder) (client.Setup, client.ReshareOrder, error) {
	who, err := LoadIdentity(dir)
	if err != nil {
		return client.Setup{}, client.ReshareOrder{}, err
	}
	k, err := loadKeys(dir, who)
	if err != nil {
		return client.Setup{}, client.ReshareOrder{}, err
	}
	o, err := so.Open(k.plan.Governance)
	if err == nil {
		_, err = k.setup.Run(o, so.Digest())
	}
	return k.setup, o, err
}

// Consent allows this holder to take part in exactly this order; the operator
// has looked at who deals and who gets shares. A running holder finds it by
// itself.
func Consent(dir string, so client.SignedOrder) error {
	if _, _, err := ReadOrder(dir, so); err != nil {
		return err
	}
	raw, err := json.Marshal(so.Digest())
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, consentFile), raw)
}

// Join gives a new holder a seat: the ceremony and the records since, verified
// against the transcript hash that the other holders publish. It has no share
// until a resharing gives it one.
func Join(dir string, setup client.Setup, pin opening.Hash) error {
	who, err := LoadIdentity(dir)
	if err != nil {
		return fmt.Errorf("no identity here; run `parallax keyholder init` first: %w", err)
	}
	if err := setup.Verify(pin); err != nil {
		return err
	}
	f := shareFile{Plan: setup.Plan, Transcript: setup.Transcript, Reshares: setup.Reshares,
		Index: setup.Committee().Place(who.Card().Key), Shares: map[string][]byte{}}
	return writeNew(filepath.Join(dir, sharesFile), f)
}
