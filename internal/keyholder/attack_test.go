package keyholder

import (
	"crypto/rand"
	"slices"
	"time"

	"parallax/client"
	"parallax/group"
	"parallax/opening"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

// What a hub that cooperates in an attack, and those who help it, can make.

// instead puts another contribution into the attempt, logged and witnessed for
// the delay like the others.
func (w *world) instead(a *attempt, i int, c contribution) {
	w.t.Helper()
	a.items[i], a.request.Labels[i] = c, c.label
	w.tick()
	w.clock.Advance(2 * time.Hour)
	a.request.Time, a.request.Expires = w.clock.Now().UnixMicro(), w.clock.Now().AddDate(0, 0, 3).UnixMicro()
}

// changed is the bank's observation again with another header, or another end.
func (w *world) changed(change func(*opening.Header)) contribution {
	w.t.Helper()
	return w.contribute("bank-a", "someone@mail-one.net", "payment", 2, change)
}

// outsider contributes in good form, under a key that no manifest lists.
func (w *world) outsider() contribution {
	w.t.Helper()
	w.keys["outsider"] = newKey(w.t)
	w.members["outsider"] = w.member("outsider")
	return w.contribute("outsider", "someone@mail-one.net", "payment", 2, func(h *opening.Header) { h.Sector = "bank" })
}

// borrow is the platform's observation under the bank's tag, which the hub gave
// it and which it never evaluated: it signs with a key of its own.
func (w *world) borrow(from contribution) contribution {
	w.t.Helper()
	h, err := opening.DecodeHeader(from.item.Observation.Header)
	must(w.t, err)
	own := w.tokenise(w.members["platform-a"], selectorInput(w))
	h.Organisation, h.Sector, h.Kind = "platform-a", "platform", "account"
	raw, err := h.Encode()
	must(w.t, err)
	key, err := w.setup.PublicKey(client.PayloadLabel)
	must(w.t, err)
	s, label, err := seal.Seal(key, "pool", "2026-11", raw, []byte("x"), rand.Reader)
	must(w.t, err)
	digest := seal.BoxDigest(s.Box)
	return w.logBatch(w.members["platform-a"], client.Contributed{Box: s.Box, Observation: opening.Observation{
		Header: raw, BoxDigest: digest[:], KEM: s.KEM, TagSigs: [][]byte{own.Sign(label[:])}}}, label)
}

func selectorInput(w *world) []byte {
	w.t.Helper()
	forms, err := selector.Normalise(selector.Email, "another@mail-one.net", selector.Hint{})
	must(w.t, err)
	return forms[0].Input()
}

// rerandomise adds one to r: u + G and ubar + Gbar, under the old proof.
func (w *world) rerandomise(k *seal.KEM) {
	w.t.Helper()
	u, err := k.U.Decode()
	must(w.t, err)
	ubar, err := k.Ubar.Decode()
	must(w.t, err)
	k.U, k.Ubar = u.Add(group.Base()).Encode(), ubar.Add(seal.Gbar("pool", "2026-11")).Encode()
}

// otherRequest puts the same people's approvals of another request beside this
// one.
func (w *world) otherRequest(a *attempt) {
	w.t.Helper()
	digest := opening.Digest([]byte("another request"))
	for i, id := range a.approvals {
		o, err := signed.Sign(opening.ApprovalDomain, id, w.keys[id], opening.Approval{Approver: id, Request: digest, Time: w.clock.Now().UnixMicro()})
		must(w.t, err)
		a.bundle.Approvals[i] = o
	}
}

// next has governance tighten the manifest; the holders know it, the hub's
// bundle goes on with the old one.
func (w *world) next(change func(*opening.Manifest)) {
	w.t.Helper()
	m := w.manifest
	m.Version, m.Previous = m.Version+1, opening.Digest(w.signed.Body)
	m.Members, m.Approvers = slices.Clone(m.Members), slices.Clone(m.Approvers)
	change(&m)
	sm := w.sign(m, "gov-2", "gov-3")
	for _, h := range w.holders {
		must(w.t, h.Manifest([]opening.SignedManifest{sm}))
	}
}

// fork writes the log anew with another first entry, as long as the true one,
// and has it cosigned with the stolen keys of every witness.
func (w *world) fork(a *attempt) {
	w.t.Helper()
	var other memoryLog
	for i, o := range w.log.openings {
		record := any(opening.BatchRecord{Type: "batch", Pool: "elsewhere"})
		if i > 0 {
			record = rawRecord(o.Record)
		}
		other.append(w.t, record)
	}
	size := int64(len(other.openings))
	root, err := tlog.Root(size, other.store)
	must(w.t, err)
	cp := tlog.Checkpoint{Origin: w.plan.Hub.LogOrigin, Size: size, Root: root}
	note := tlog.SignCheckpoint(cp, w.keys["log"])
	for i, dir := range w.dirs {
		who, err := LoadIdentity(dir)
		must(w.t, err)
		note = tlog.AddLine(note, tlog.Cosign(cp, w.plan.Holders[i].ID, who.witnessKey(), w.clock.Now()))
	}
	a.bundle.Checkpoint = note
	w.log = other
	for i, c := range a.items {
		a.bundle.Items[i].Log = w.proof(c.index)
	}
	a.bundle.RequestLog = w.proof(size - 1)
	a.bundle.Consistency, err = tlog.ProveConsistency(size, size, other.store)
	must(w.t, err)
}

// rawRecord is a record that is encoded already.
type rawRecord []byte

// MarshalJSON gives the bytes as they are.
func (r rawRecord) MarshalJSON() ([]byte, error) { return r, nil }
