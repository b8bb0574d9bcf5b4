package keyholder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parallax/group"
	"parallax/opening"
	"parallax/oprf/dkg"
)

// pendingFile holds the shares of an attempt from before this holder signs its
// transcript until all have signed: whoever has signed can never be without
// its shares. Before that they are in no use.
const pendingFile = "shares.pending.json"

// pendingShares is shareFile with a transcript that lacks its signatures, and
// this holder's own, which leaves only after the file is on disk.
type pendingShares struct {
	shareFile
	Answer []byte `json:"answer"`
}

func (c *ceremony) keepPending(res dkg.Result, answer []byte) error {
	raw, err := json.Marshal(pendingShares{newShareFile(c.plan, c.index, res), answer})
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(c.dir, pendingFile), raw); err != nil {
		return fmt.Errorf("the shares could not be stored, so nothing was signed: %w", err)
	}
	return nil
}

// forgetPending destroys the shares of an attempt that came to nothing, or that
// are in use now.
func forgetPending(dir string) error {
	err := os.Remove(filepath.Join(dir, pendingFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(dir))
}

// commit takes the shares into use.
func (c *ceremony) commit(res dkg.Result) error {
	if err := saveShares(c.dir, c.plan, c.index, res); err != nil {
		return err
	}
	return forgetPending(c.dir)
}

// resume goes on with an attempt whose transcript this holder has signed, or was
// about to: it says the same again, and takes the shares into use once all have
// signed. Shares of an attempt that was ended are destroyed.
func (c *ceremony) resume(ctx context.Context) (tr dkg.Transcript, done bool, err error) {
	p, ok, err := c.readPending()
	if err != nil || !ok {
		return tr, false, err
	}
	st, err := c.board.State(ctx)
	if err != nil {
		return tr, false, fmt.Errorf("read the board: %w", err)
	}
	switch {
	case st.Done:
		tr, err = c.board.Transcript(ctx)
	case st.Attempt == p.Transcript.Params.Attempt:
		c.say(fmt.Sprintf("attempt %d goes on: this holder has its shares and waits for the others' signatures", st.Attempt))
		tr, err = c.confirm(ctx, p)
	default:
		c.say(fmt.Sprintf("attempt %d was ended for all; its shares were destroyed here", p.Transcript.Params.Attempt))
		return tr, false, forgetPending(c.dir)
	}
	if err != nil {
		return tr, false, err
	}
	if tr.Hash() != p.Transcript.Hash() {
		return tr, false, errors.Join(errors.New("the ceremony was finished with another transcript than this holder signed; it needs a new plan"), forgetPending(c.dir))
	}
	res := dkg.Result{Transcript: tr, Shares: map[string]group.Share{}}
	for label, raw := range p.Shares {
		if res.Shares[label], err = group.ShareFromBytes(p.Index, raw); err != nil {
			return tr, false, err
		}
	}
	return tr, true, errors.Join(tr.Verify(), c.commit(res))
}

// confirm posts this holder's signature again, the same bytes, and waits for all.
func (c *ceremony) confirm(ctx context.Context, p pendingShares) (dkg.Transcript, error) {
	c.attempt, c.params = p.Transcript.Params.Attempt, p.Transcript.Params
	if err := c.board.Post(ctx, c.attempt, dkg.Rounds, c.index, p.Answer); err != nil {
		return dkg.Transcript{}, fmt.Errorf("post round %d: %w", dkg.Rounds, err)
	}
	all, err := c.collect(ctx, dkg.Rounds)
	if err == nil {
		var tr dkg.Transcript
		if tr, err = dkg.Complete(p.Transcript, c.index, all); err == nil {
			return tr, nil
		}
	}
	return dkg.Transcript{}, c.abort(ctx, err)
}

// readPending reads the file, and refuses one of another plan: it may be all that
// is left of shares that others count on.
func (c *ceremony) readPending() (p pendingShares, ok bool, err error) {
	err = readJSON(filepath.Join(c.dir, pendingFile), &p)
	if errors.Is(err, os.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	was, err1 := p.Plan.Digest()
	now, err2 := c.plan.Digest()
	if was != now || was == (opening.Hash{}) {
		return p, false, errors.Join(fmt.Errorf("%s holds shares of a ceremony of another plan that is not over here; run that one again, or take the file away", pendingFile), err1, err2)
	}
	return p, true, nil
}
