package keyholder

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/opening"
	"parallax/oprf/dkg"
)

// A Board is the public place where a ceremony's messages are posted; the hub
// keeps one. It is not trusted: every message is signed, and all holders sign
// the hash of everything that was said.
type Board interface {
	// State says which attempt is open.
	State(ctx context.Context) (client.CeremonyState, error)
	Post(ctx context.Context, attempt, round, index int, message []byte) error
	// Round returns the messages of a round by index; missing ones are empty. It
	// fails once the attempt was aborted.
	Round(ctx context.Context, attempt, round int) ([][]byte, error)
	// Abort ends an attempt with a signed statement; Aborts reads them.
	Abort(ctx context.Context, attempt int, statement []byte) error
	Aborts(ctx context.Context, attempt int) ([][]byte, error)
	// Transcript is that of the finished ceremony.
	Transcript(ctx context.Context) (dkg.Transcript, error)
}

// attemptFile notes the last attempt that this holder began.
const attemptFile = "ceremony.json"

type begun struct {
	Plan    opening.Hash `json:"plan"`
	Attempt int          `json:"attempt"`
}

// A ceremony is this holder's part of one attempt.
type ceremony struct {
	dir     string
	plan    client.Plan
	who     Identity
	index   int
	attempt int
	params  dkg.Params
	party   *dkg.Party
	board   Board
	wait    func(context.Context) error
	say     func(string)
}

// Ceremony runs this holder's part of the key ceremony to its end and stores
// the shares. It refuses to start when shares are there already or the plan
// does not list exactly this identity. Any complaint, bad message or silence
// ends the attempt for everyone, with a signed statement of who saw what, and
// leaves no share behind; started again, holders make the next attempt under
// the same plan.
func Ceremony(ctx context.Context, dir string, plan client.Plan, board Board, wait func(ctx context.Context) error, say func(string)) (dkg.Transcript, error) {
	who, err := LoadIdentity(dir)
	if err != nil {
		return dkg.Transcript{}, fmt.Errorf("no identity here; run `parallax keyholder init` first: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sharesFile)); err == nil {
		return dkg.Transcript{}, errors.Join(fmt.Errorf("%s is there already: this holder has been through a ceremony", sharesFile), forgetPending(dir))
	}
	if err := plan.Check(); err != nil {
		return dkg.Transcript{}, err
	}
	index, err := findIndex(plan, who)
	if err != nil {
		return dkg.Transcript{}, err
	}
	c := &ceremony{dir: dir, plan: plan, who: who, index: index, board: board, wait: wait, say: say}
	if tr, done, err := c.resume(ctx); done || err != nil {
		return tr, err
	}
	if err := c.begin(ctx); err != nil {
		return dkg.Transcript{}, err
	}
	res, err := c.rounds(ctx)
	if err != nil {
		return dkg.Transcript{}, c.abort(ctx, err)
	}
	return res.Transcript, c.commit(res)
}

func findIndex(plan client.Plan, who Identity) (int, error) {
	for _, h := range plan.Holders {
		if h.ID == who.ID {
			return h.Index, ownPlace(plan.Holders, who, h.Index)
		}
	}
	return 0, fmt.Errorf("the plan does not list holder %q", who.ID)
}

// begin joins the attempt that the board has open. One that this holder began
// before is lost to it, because polynomials are never kept: it ends that one
// first. Joining twice would sign two messages for one round, two faces.
func (c *ceremony) begin(ctx context.Context) error {
	last, plan, err := c.lastBegun()
	if err != nil {
		return err
	}
	st, err := c.board.State(ctx)
	for ; err == nil && !st.Done && st.Attempt <= last; st, err = c.board.State(ctx) {
		if err := c.endLost(ctx, st.Attempt); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("read the board: %w", err)
	case st.Done:
		return errors.New("the board says that this ceremony is finished, but this holder has no shares of it; it needs a new plan")
	}
	c.attempt = st.Attempt
	if c.params, err = c.plan.Attempt(c.attempt); err != nil {
		return err
	}
	if err := c.keepBegun(begun{plan, c.attempt}); err != nil {
		return err
	}
	c.party, err = dkg.New(c.params, c.index, c.who.signKey(), c.who.HPKE, rand.Reader)
	c.say(fmt.Sprintf("attempt %d of the ceremony", c.attempt))
	return err
}

// endLost aborts an attempt that this holder cannot go on with.
func (c *ceremony) endLost(ctx context.Context, attempt int) error {
	params, err := c.plan.Attempt(attempt)
	if err != nil {
		return err
	}
	statement, err := dkg.SignAbort(params, c.index, c.who.signKey(), errors.New("it began this attempt and was interrupted"), nil)
	if err != nil {
		return err
	}
	if err := c.board.Abort(ctx, attempt, statement); err != nil {
		return fmt.Errorf("end attempt %d, which was interrupted here: %w", attempt, err)
	}
	if st, err := c.board.State(ctx); err != nil || st.Attempt <= attempt {
		return fmt.Errorf("the board does not go on after attempt %d was ended (%w)", attempt, err)
	}
	c.say(fmt.Sprintf("attempt %d was interrupted here and is over for all holders", attempt))
	return nil
}

// lastBegun is the last attempt at this plan that was begun here, 0 for none.
func (c *ceremony) lastBegun() (last int, plan opening.Hash, err error) {
	if plan, err = c.plan.Digest(); err != nil {
		return 0, plan, err
	}
	raw, err := os.ReadFile(filepath.Join(c.dir, attemptFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, plan, nil
	}
	var b begun
	if err == nil {
		err = json.Unmarshal(raw, &b)
	}
	if err != nil || b.Plan != plan {
		return 0, plan, err
	}
	return b.Attempt, plan, nil
}

// keepBegun is on disk before any message of the attempt exists.
func (c *ceremony) keepBegun(b begun) error {
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(c.dir, attemptFile), raw)
}

func (c *ceremony) rounds(ctx context.Context) (dkg.Result, error) {
	steps := []func([][]byte) ([]byte, error){
		func([][]byte) ([]byte, error) { return c.party.Round1() },
		c.party.Round2, c.party.Round3, c.party.Round4,
	}
	names := []string{"commitments", "reveals", "sealed shares", "signatures over the transcript"}
	var last [][]byte
	for i, step := range steps {
		message, err := step(last)
		if err != nil {
			return dkg.Result{}, err
		}
		if res, ok := c.party.Unconfirmed(); i+1 == dkg.Rounds && ok {
			if err := c.keepPending(res, message); err != nil {
				return dkg.Result{}, err
			}
		}
		if err := c.board.Post(ctx, c.attempt, i+1, c.index, message); err != nil {
			return dkg.Result{}, fmt.Errorf("post round %d: %w", i+1, err)
		}
		c.say(fmt.Sprintf("round %d of %d: %s posted, waiting for the others", i+1, len(steps), names[i]))
		if last, err = c.collect(ctx, i+1); err != nil {
			return dkg.Result{}, err
		}
	}
	return c.party.Finish(last)
}

// collect waits until all n messages of a round are there, or ctx ends. Who
// was away is named also where the time runs out while the board is read.
func (c *ceremony) collect(ctx context.Context, round int) ([][]byte, error) {
	missing := 0
	silent := func(err error) error {
		return errors.Join(&dkg.Fault{Index: missing, Reason: fmt.Sprintf("silent in round %d", round)}, err)
	}
	for {
		all, err := c.board.Round(ctx, c.attempt, round)
		switch {
		case err != nil && ctx.Err() != nil && missing > 0:
			return nil, silent(err)
		case err != nil:
			return nil, fmt.Errorf("read round %d: %w", round, err)
		}
		missing = 0
		for i := 1; i <= c.plan.N && missing == 0; i++ {
			if i > len(all) || len(all[i-1]) == 0 {
				missing = i
			}
		}
		if missing == 0 {
			return all[:c.plan.N], nil
		}
		if err := c.wait(ctx); err != nil {
			return nil, silent(err)
		}
	}
}

// abortTime is how long ending an attempt may take once it has failed.
const abortTime = 10 * time.Second

// abort ends the attempt for all if the cause is a holder's, keeps evidence if
// the holders together have some, and says what to do next.
func (c *ceremony) abort(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	err := fmt.Errorf("ceremony aborted: %w", cause)
	var f *dkg.Fault
	if errors.As(cause, &f) {
		statement, serr := dkg.SignAbort(c.params, c.index, c.who.signKey(), f, c.party)
		if serr == nil {
			serr = c.board.Abort(ctx, c.attempt, statement)
		}
		if serr != nil {
			err = errors.Join(err, fmt.Errorf("the others were not told: %w", serr))
		}
	}
	file, everr := c.evidence(ctx)
	if file != "" {
		c.say("a holder signed two different messages; `parallax verify` checks the evidence in " + file)
	}
	return errors.Join(err, everr, errors.New("no share is in use; once the cause is mended, all holders run the same command again under the same plan"))
}

// evidence reads what the holders say they were shown and keeps two messages
// that show two faces of one of them.
func (c *ceremony) evidence(ctx context.Context) (string, error) {
	raw, err := c.board.Aborts(ctx, c.attempt)
	if err != nil {
		return "", nil // the board is away or refuses: there is nothing to compare
	}
	var aborts []dkg.Abort
	for _, r := range raw {
		a, err := dkg.OpenAbort(c.params, r)
		if err != nil {
			continue // the board is not trusted
		}
		c.say(fmt.Sprintf("holder %d ended attempt %d over holder %d: %s", a.By, c.attempt, a.Fault, a.Reason))
		aborts = append(aborts, a)
	}
	found, ok := dkg.FindEquivocation(c.params, aborts, c.party)
	if !ok {
		return "", nil
	}
	text, err := json.MarshalIndent(client.CeremonyEvidence{Plan: c.plan, Equivocation: found}, "", " ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, fmt.Sprintf("equivocation-attempt-%d.json", c.attempt))
	return path, replaceFile(path, append(text, '\n'))
}

// Poll returns a wait function for ceremonies over a network.
func Poll(every time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		t := time.NewTimer(every)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), context.Cause(ctx))
		case <-t.C:
			return nil
		}
	}
}
