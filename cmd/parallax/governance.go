package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

type governanceCmd struct {
	Init     governanceInit     `cmd:"" help:"Make one governor's key and print its public card."`
	Sign     governanceSign     `cmd:"" help:"Add this governor's signature to a manifest."`
	Publish  governancePublish  `cmd:"" help:"Send a signed manifest to the hub and every key holder."`
	Accredit governanceAccredit `cmd:"" help:"Sign or send what governance says of an organisation: kind, jurisdictions, functions, until when."`
	Reshare  governanceReshare  `cmd:"" help:"Give the key holders new shares of the same keys: a refresh, or another holder in a lost one's place."`
	Halt     governanceHalt     `cmd:"" help:"Halt all openings at every key holder."`
	Suspend  governanceSuspend  `cmd:"" help:"Suspend a member at every key holder."`
	Thaw     governanceThaw     `cmd:"" help:"Lift freezes that nobody decided within 30 days."`
	Resume   governanceResume   `cmd:"" help:"Lift a halt or a suspension; it takes two governors of different bodies."`
}

type governanceInit struct {
	Key    string `required:"" type:"path" help:"File for the key; never overwritten."`
	ID     string `required:"" help:"The governor's id."`
	Entity string `required:"" help:"The body that the governor belongs to; never the hub operator."`
}

// Run makes the key.
func (c *governanceInit) Run(std streams) error {
	pub, err := makeKey(c.Key, c.ID, c.Entity)
	if err != nil {
		return err
	}
	return printJSON(std.out, opening.Governor{ID: c.ID, Entity: c.Entity, Key: pub})
}

// makeKey makes a key file for its owner only and never overwrites one.
func makeKey(path, id, entity string) (ed25519.PublicKey, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	key := governorKey{ID: id, Entity: entity, Seed: priv.Seed()}
	return pub, errors.Join(json.NewEncoder(f).Encode(key), f.Sync(), f.Close())
}

type governorKey struct {
	ID     string `json:"id"`
	Entity string `json:"entity"`
	Seed   []byte `json:"seed"`
}

func readGovernor(path string) (governorKey, error) {
	var key governorKey
	if err := readInto(path, &key); err != nil {
		return key, err
	}
	if len(key.Seed) != ed25519.SeedSize {
		return key, fault.New(fault.Invalid, path+" holds no governor's key")
	}
	return key, nil
}

type governanceSign struct {
	Key      string `required:"" type:"existingfile" help:"This governor's key."`
	Manifest string `arg:"" type:"existingfile" help:"A manifest (JSON), or one that others have signed already."`
	Out      string `short:"o" required:"" type:"path" help:"Where the signed manifest goes."`
}

// Run signs: a plain manifest is checked and encoded first, a signed one gets
// one more signature over the same bytes.
func (c *governanceSign) Run(std streams) error {
	key, err := readGovernor(c.Key)
	if err != nil {
		return err
	}
	sm, err := readManifest(c.Manifest)
	if err != nil {
		return err
	}
	sm.Add(key.ID, ed25519.NewKeyFromSeed(key.Seed))
	raw, err := json.MarshalIndent(sm, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "manifest %s signed by %s\n", opening.Digest(sm.Body), key.ID)
	return os.WriteFile(c.Out, append(raw, '\n'), 0o644)
}

func readManifest(path string) (opening.SignedManifest, error) {
	var sm opening.SignedManifest
	if err := readInto(path, &sm); err == nil && len(sm.Body) > 0 {
		return sm, nil
	}
	var m opening.Manifest
	if err := readInto(path, &m); err != nil {
		return sm, err
	}
	sm, err := opening.SignManifest(m)
	if err != nil {
		return sm, fault.Wrap(fault.Invalid, err.Error(), err)
	}
	return sm, nil
}

// readSigned reads a signed manifest and what it says. Its signatures are for
// the hub and the holders to check.
func readSigned(path string) (sm opening.SignedManifest, m opening.Manifest, err error) {
	if err := readInto(path, &sm); err != nil {
		return sm, m, err
	}
	if err := signed.Unmarshal(sm.Body, &m); err != nil {
		return sm, m, fault.Wrap(fault.Invalid, path+" holds no signed manifest", err)
	}
	return sm, m, nil
}

type governancePublish struct {
	Manifest string `arg:"" type:"existingfile" help:"The manifest with its quorum of signatures."`
}

// Run sends the manifest to the hub and every holder and reports each answer.
func (c *governancePublish) Run(ctx context.Context, std streams) error {
	sm, m, err := readSigned(c.Manifest)
	if err != nil {
		return err
	}
	targets := map[string]string{m.Hub.ID: m.Hub.URL}
	for _, h := range m.Holders {
		targets[h.ID] = h.URL
	}
	body, err := signed.Marshal(client.Manifests{Manifests: []opening.SignedManifest{sm}})
	if err != nil {
		return err
	}
	var failed error
	for id, url := range targets {
		if err := post(ctx, url+client.PathManifest, body); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", id, err))
			continue
		}
		fmt.Fprintf(std.err, "%s has manifest version %d\n", id, m.Version)
	}
	return failed
}

func post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := machines.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return fmt.Errorf("answered %s: %s", res.Status, text)
	}
	return nil
}

func readInto(path string, v any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fault.Wrap(fault.Invalid, fmt.Sprintf("%s: %v", path, err), err)
	}
	return nil
}
