package desk

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"parallax/client"
	"parallax/internal/clock"
	"parallax/internal/fault"
	"parallax/opening"
	"parallax/signed"
)

// A Desk is one member's, approver's or authority's desk, unlocked.
type Desk struct {
	dir     string
	who     identity
	keys    secrets
	clock   clock.Clock
	random  io.Reader
	http    *http.Client
	records *records

	confirmed atomic.Int64 // when somebody confirmed last who it is, UTC microseconds
}

// Options of an unlocked desk.
type Options struct {
	Dir        string
	Passphrase string
	StepUp     string       // confirms who it is, at a desk with a key file and a step-up secret
	Clock      clock.Clock  // nil: the system's
	Random     io.Reader    // nil: crypto/rand
	HTTP       *http.Client // nil: one with a two-minute timeout
}

// Open unlocks the desk in a directory; close it when done.
func Open(ctx context.Context, o Options) (*Desk, error) {
	who, keys, err := loadIdentity(o.Dir, o.Passphrase)
	if err != nil {
		return nil, err
	}
	d := &Desk{dir: o.Dir, who: who, keys: keys, clock: o.Clock, random: o.Random, http: o.HTTP}
	if d.clock == nil {
		d.clock = clock.System()
	}
	if d.random == nil {
		d.random = rand.Reader
	}
	if d.http == nil {
		d.http = client.NewHTTP(2 * time.Minute)
	}
	v, err := newVault(keys.Store, d.random)
	if err != nil {
		return nil, err
	}
	if d.records, err = openRecords(ctx, o.Dir, v); err != nil {
		return nil, err
	}
	if who.Lock == lockScrypt { // it was typed just now
		d.confirmed.Store(d.clock.Now().UnixMicro())
	} else if o.StepUp != "" {
		if err := d.Confirm(ctx, o.StepUp); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// Close closes the local store.
func (d *Desk) Close() error { return d.records.db.Close() }

// Profile is the desk's public side.
func (d *Desk) Profile() Profile { return d.who.Profile }

func (d *Desk) signKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(d.keys.Sign) }

func (d *Desk) readsPath() string { return filepath.Join(d.dir, readsFile) }

// joined is what Join keeps: verified when it was stored and again when used.
type joined struct {
	Hub       string                   `json:"hub"`
	Pin       opening.Hash             `json:"pin"`
	Setup     client.Setup             `json:"setup"`
	Manifests []opening.SignedManifest `json:"manifests"`
}

const joinedSetting = "joined"

// Join fetches the setup and the manifests from a hub, verifies both against
// the pinned transcript hash and keeps them. Joining again refreshes them;
// a pool once joined is never exchanged for another.
func (d *Desk) Join(ctx context.Context, hub string, pin opening.Hash) (opening.Manifest, error) {
	j := joined{Hub: hub, Pin: pin}
	if err := client.Get(ctx, d.http, hub+client.PathTranscript, &j.Setup); err != nil {
		return opening.Manifest{}, err
	}
	if err := j.Setup.Verify(pin); err != nil {
		return opening.Manifest{}, fault.Wrap(fault.Invalid, "The hub's key ceremony was refused: "+err.Error()+".", err)
	}
	var ms client.Manifests
	if err := client.Get(ctx, d.http, hub+client.PathManifest, &ms); err != nil {
		return opening.Manifest{}, err
	}
	j.Manifests = ms.Manifests
	m, err := j.manifest()
	if err != nil {
		return m, err
	}
	var old joined
	switch err := d.records.setting(ctx, joinedSetting, &old); {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return m, err
	case old.Pin != pin:
		return m, fault.New(fault.Conflict, "This desk has joined a pool with another transcript; use another directory for another pool.")
	default:
		was, err := old.manifest()
		if err != nil {
			return m, err
		}
		if was.Version > m.Version {
			return m, fault.New(fault.Conflict, "The hub serves an older manifest than this desk has seen; it is refused.")
		}
		if err := old.Setup.Follows(j.Setup); err != nil {
			return m, otherShares(err)
		}
	}
	return m, d.records.keep(ctx, joinedSetting, j)
}

// otherShares refuses what a hub shows of the key shares.
func otherShares(err error) error {
	return fault.Wrap(fault.Conflict, "What the hub shows of the key shares was refused: "+err.Error()+". Ask the key holders.", err)
}

// renew fetches the records of resharings since and follows them from the
// pinned ceremony; nobody has to be trusted anew. It reports whether there was
// a newer one.
func (d *Desk) renew(ctx context.Context, j *joined) (bool, error) {
	next := *j
	next.Setup = client.Setup{}
	if err := client.Get(ctx, d.http, j.Hub+client.PathTranscript, &next.Setup); err != nil {
		return false, err
	}
	if err := next.Setup.Verify(j.Pin); err != nil {
		return false, fault.Wrap(fault.Conflict, "The hub's key ceremony was refused: "+err.Error()+".", err)
	}
	if err := j.Setup.Follows(next.Setup); err != nil {
		return false, otherShares(err)
	}
	if len(next.Setup.Reshares) == len(j.Setup.Reshares) {
		return false, nil
	}
	if _, err := next.manifest(); err != nil {
		return false, err
	}
	*j = next
	return true, d.records.keep(ctx, joinedSetting, next)
}

// manifest verifies the chain, from the pinned ceremony down, and gives its
// last version.
func (j joined) manifest() (opening.Manifest, error) {
	if len(j.Manifests) == 0 {
		return opening.Manifest{}, fault.New(fault.Unavailable, "The hub has no manifest yet; governance must publish one first.")
	}
	if opening.Hash(j.Setup.Transcript.Hash()) != j.Pin {
		return opening.Manifest{}, fault.New(fault.Invalid, "The kept key ceremony is not the pinned one.")
	}
	m, err := j.Setup.Chain(j.Manifests)
	if err != nil {
		return m, fault.Wrap(fault.Invalid, "The hub's manifest was refused: "+err.Error()+".", err)
	}
	return m, nil
}

// member gives the contributor's client for the joined pool.
func (d *Desk) member(ctx context.Context) (client.Member, joined, error) {
	var j joined
	if err := d.records.setting(ctx, joinedSetting, &j); err != nil {
		return client.Member{}, j, err
	}
	m, err := j.manifest()
	if err != nil {
		return client.Member{}, j, err
	}
	if err := j.Setup.Verify(j.Pin); err != nil {
		return client.Member{}, j, err
	}
	return client.Member{Setup: j.Setup, Manifest: m, Caller: client.Caller{Sender: d.who.ID, Key: d.signKey(),
		HTTP: d.http, Now: d.clock.Now, Random: d.random}}, j, nil
}

// contributor is member for a desk that the manifest admits as one.
func (d *Desk) contributor(ctx context.Context) (client.Member, joined, error) {
	m, j, err := d.member(ctx)
	if err != nil {
		return m, j, err
	}
	me, ok := m.Manifest.Member(d.who.ID)
	switch {
	case !ok || !me.Key.Equal(d.who.Public):
		return m, j, fault.New(fault.Forbidden, "The manifest does not list this desk as a member with this key; ask governance to admit its card.")
	case me.Status != opening.Active:
		return m, j, fault.New(fault.Forbidden, "The manifest lists this member as suspended.")
	}
	return m, j, nil
}

// refused turns a server's own answer into a fault that keeps its sentence.
func refused(err error) error {
	var p *client.Problem
	switch {
	case err == nil:
		return nil
	case fault.KindOf(err) != fault.Internal:
		return err
	case errors.As(err, &p):
		kind := map[int]fault.Kind{400: fault.Invalid, 422: fault.Invalid, 403: fault.Forbidden, 404: fault.NotFound, 409: fault.Conflict}[p.Status]
		if kind == fault.Internal {
			kind = fault.Unavailable
		}
		return fault.Wrap(kind, clockHint(oneLine(err)), err)
	case errors.Is(err, client.ErrUnreachable):
		return fault.Wrap(fault.Unavailable, oneLine(err)+". Nothing is lost: do the same again and it goes on where it stopped.", err)
	}
	return err
}

// oneLine joins what several servers said.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// clockHint says whose clock is meant where a server speaks of its sender's.
func clockHint(text string) string {
	if strings.Contains(text, signed.ErrClock.Error()) {
		return "This desk's clock and the receiver's differ, so the message was refused and nothing was done: " + text
	}
	return text
}
