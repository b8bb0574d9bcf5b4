package keyholder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"parallax/client"
	"parallax/oprf/dkg"
)

// A Board is the public place where a ceremony's messages are posted; the hub
// keeps one. It is not trusted: every message is signed, and all holders sign
// the hash of everything that was said.
type Board interface {
	Post(ctx context.Context, round, index int, message []byte) error
	// Round returns the messages of a round by index; missing ones are nil.
	Round(ctx context.Context, round int) ([][]byte, error)
}

// CeremonyRounds is the number of message rounds.
const CeremonyRounds = 4

// Ceremony runs this holder's part of the key ceremony to its end and stores
// the shares. It refuses to start when shares are there already or the plan
// does not list exactly this identity; any complaint, bad message or silence
// aborts for everyone and leaves nothing behind.
func Ceremony(ctx context.Context, dir string, plan client.Plan, board Board, wait func(ctx context.Context) error, say func(string)) (dkg.Transcript, error) {
	who, err := LoadIdentity(dir)
	if err != nil {
		return dkg.Transcript{}, fmt.Errorf("no identity here; run `parallax keyholder init` first: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sharesFile)); err == nil {
		return dkg.Transcript{}, fmt.Errorf("%s is there already: this holder has been through a ceremony", sharesFile)
	}
	if err := plan.Check(); err != nil {
		return dkg.Transcript{}, err
	}
	index, err := findIndex(plan, who)
	if err != nil {
		return dkg.Transcript{}, err
	}
	params, err := plan.Params()
	if err != nil {
		return dkg.Transcript{}, err
	}
	party, err := dkg.New(params, index, who.signKey(), who.HPKE, rand.Reader)
	if err != nil {
		return dkg.Transcript{}, err
	}
	res, err := runRounds(ctx, party, plan, index, board, wait, say)
	if err != nil {
		return dkg.Transcript{}, err
	}
	if err := saveShares(dir, plan, index, res); err != nil {
		return dkg.Transcript{}, err
	}
	return res.Transcript, nil
}

func findIndex(plan client.Plan, who Identity) (int, error) {
	for _, h := range plan.Holders {
		if h.ID == who.ID {
			return h.Index, ownPlace(plan, who, h.Index)
		}
	}
	return 0, fmt.Errorf("the plan does not list holder %q", who.ID)
}

func runRounds(ctx context.Context, party *dkg.Party, plan client.Plan, index int, board Board, wait func(context.Context) error, say func(string)) (dkg.Result, error) {
	steps := []func([][]byte) ([]byte, error){
		func([][]byte) ([]byte, error) { return party.Round1() },
		party.Round2, party.Round3, party.Round4,
	}
	names := []string{"commitments", "reveals", "sealed shares", "signatures over the transcript"}
	var last [][]byte
	for i, step := range steps {
		message, err := step(last)
		if err != nil {
			return dkg.Result{}, fmt.Errorf("ceremony aborted: %w", err)
		}
		if err := board.Post(ctx, i+1, index, message); err != nil {
			return dkg.Result{}, fmt.Errorf("post round %d: %w", i+1, err)
		}
		say(fmt.Sprintf("round %d of %d: %s posted, waiting for the others", i+1, len(steps), names[i]))
		if last, err = collect(ctx, board, i+1, plan.N, wait); err != nil {
			return dkg.Result{}, err
		}
	}
	res, err := party.Finish(last)
	if err != nil {
		return dkg.Result{}, fmt.Errorf("ceremony aborted: %w", err)
	}
	return res, nil
}

// collect waits until all n messages of a round are there, or ctx ends.
func collect(ctx context.Context, board Board, round, n int, wait func(context.Context) error) ([][]byte, error) {
	for {
		all, err := board.Round(ctx, round)
		if err != nil {
			return nil, fmt.Errorf("read round %d: %w", round, err)
		}
		missing := 0
		for i := 1; i <= n; i++ {
			if i > len(all) || len(all[i-1]) == 0 {
				missing = i
				break
			}
		}
		if missing == 0 {
			return all[:n], nil
		}
		if err := wait(ctx); err != nil {
			return nil, fmt.Errorf("ceremony aborted: holder %d was silent in round %d: %w", missing, round, err)
		}
	}
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
