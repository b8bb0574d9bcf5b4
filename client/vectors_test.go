package client

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"parallax/group/grouptest"
	"parallax/opening"
	"parallax/oprf"
	"parallax/oprf/dkg"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
	"parallax/tlog"
)

var update = flag.Bool("update", false, "write testdata/wire.json from what is made now")

// A vector is one step with everything that goes in and comes out: bytes in
// hex, canonical JSON as text. In the order of the file, an implementation can
// make every later one from the earlier ones.
type vector struct {
	Name string            `json:"name"`
	In   map[string]string `json:"in"`
	Out  map[string]string `json:"out"`
}

func seeded32(name string) []byte {
	sum := sha256.Sum256([]byte("parallax/wire-vectors/" + name))
	return sum[:]
}

func vectorKey(name string) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(seeded32(name)) }

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

type maker struct {
	t   *testing.T
	all []vector
}

func (m *maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *maker) text(v any) string {
	m.t.Helper()
	raw, err := signed.Marshal(v)
	m.must(err)
	return string(raw)
}

func (m *maker) add(name string, in, out map[string]string) {
	if in == nil {
		in = map[string]string{}
	}
	m.all = append(m.all, vector{name, in, out})
}

func h(b []byte) string { return hex.EncodeToString(b) }

// observations makes two sealed observations of one member with all that hangs
// on them, and its batch.
func (m *maker) observations() []opening.Observation {
	random := sha3.NewSHAKE128()
	random.Write([]byte("parallax/wire-vectors"))
	payload, shares, err := grouptest.Deal(2, 3, PayloadLabel, nil, random)
	m.must(err)
	m.add("threshold key", nil, map[string]string{"public": m.text(payload), "share_1": h(shares[0].Bytes()), "share_2": h(shares[1].Bytes()), "share_3": h(shares[2].Bytes())})
	var list []opening.Observation
	for i, class := range []selector.Class{selector.Email, selector.Phone} {
		var y [64]byte
		copy(y[:], bytes.Repeat([]byte{byte(i + 1)}, 64))
		p := oprf.Possess(y, string(class))
		tag := p.Tag()
		m.add("tag", map[string]string{"oprf_output": h(y[:]), "class": string(class)},
			map[string]string{"possession_key": h(p.Public()), "tag": tag.String()})
		header := opening.Header{Version: opening.HeaderVersion, Pool: "pool-1", Epoch: "2026-11", Organisation: "bank-a", Sector: "bank",
			Tags:   []opening.HeaderTag{{Class: class, Key: p.Public(), Expires: 1795651200000000}},
			Origin: "own", Role: "unknown", Source: "b", Info: "2", Strength: 2, Kind: "report", Week: "2026-W47",
			Rule: opening.DefaultRule().Hash(), Manifest: 1, Evidence: opening.Hash(seeded32("evidence")), Nonce: opening.Hash(seeded32("nonce" + string(class)))}
		if i == 1 {
			s := opening.Statistics{Venues: []string{"venue-1"}, Edges: []opening.Edge{{From: tag, To: oprf.Tag{9}, Type: "payment",
				Venue: "venue-1", Band: "100-999", Count: 2, First: "2026-W46", Last: "2026-W47", Expires: 1790000000000000}}}
			raw := m.text(s)
			header.Statistics = opening.Digest([]byte(raw))
			m.add("statistics", nil, map[string]string{"statistics": raw, "digest": header.Statistics.String()})
		}
		raw, err := header.Encode()
		m.must(err)
		sealed, label, err := seal.Seal(payload, header.Pool, header.Epoch, raw, []byte("a reference"), random)
		m.must(err)
		digest := seal.BoxDigest(sealed.Box)
		o := opening.Observation{Header: raw, BoxDigest: digest[:], KEM: sealed.KEM, TagSigs: [][]byte{p.Sign(label[:])}}
		_, _, err = o.Verify()
		m.must(err)
		leaf := seal.LeafOf(label, sealed.KEM)
		m.add("observation", map[string]string{"header": string(raw), "payload": "a reference", "box": h(sealed.Box)},
			map[string]string{"box_digest": h(digest[:]), "label": label.String(), "u": h(sealed.KEM.U[:]), "ubar": h(sealed.KEM.Ubar[:]),
				"e": h(sealed.KEM.E[:]), "f": h(sealed.KEM.F[:]), "tag_signature": h(o.TagSigs[0]), "leaf": h(leaf[:]), "json": m.text(o)})
		part, err := seal.Decrypt(shares[2], header.Pool, header.Epoch, sealed.KEM, label, random)
		m.must(err)
		m.must(seal.VerifyPartial(payload, sealed.KEM, label, part))
		m.add("partial", map[string]string{"holder": "3", "request": opening.Hash(seeded32("request")).String()},
			map[string]string{"partial": m.text(part), "hpke_info": string(opening.PartialInfo(opening.Hash(seeded32("request")), label, sealed.KEM.U, 3))})
		list = append(list, o)
	}
	return list
}

func (m *maker) batch(list []opening.Observation) {
	leaves, err := opening.Leaves(list)
	m.must(err)
	root, err := seal.Root(leaves)
	m.must(err)
	path, err := seal.Prove(leaves, 1)
	m.must(err)
	m.must(path.Verify(leaves[1], root))
	key := vectorKey("bank-a")
	m.add("batch", map[string]string{"leaf_0": h(leaves[0][:]), "leaf_1": h(leaves[1][:]), "key_seed": h(key.Seed())},
		map[string]string{"root": h(root[:]), "path_1": m.text(path), "signature": h(seal.SignBatch(key, "pool-1", "2026-11", "bank-a", root)),
			"log_record": m.text(opening.BatchRecord{Type: "batch", Pool: "pool-1", Epoch: "2026-11", Org: "bank-a", Root: root})})
}

// object adds a signed object of one kind.
func (m *maker) object(name, domain, id string, v any) signed.Object {
	o, err := signed.Sign(domain, id, vectorKey(id), v)
	m.must(err)
	m.add(name, map[string]string{"domain": domain, "key": id, "key_seed": h(vectorKey(id).Seed())},
		map[string]string{"body": string(o.Body), "digest": opening.Digest(o.Body).String(), "signature": h(o.Sig), "json": m.text(o)})
	return o
}

func (m *maker) objects(label seal.Label) {
	member := Member{Caller: Caller{Sender: "bank-a", Key: vectorKey("bank-a")}, Manifest: opening.Manifest{Pool: "pool-1", Epoch: "2026-11", Transcript: opening.Hash(seeded32("transcript"))}}
	b := Batch{Class: selector.Email, Seed: [32]byte(seeded32("batch")), Time: 1790000000000000, Inputs: [][]byte{[]byte("input")}, Cases: []QueryCase{{Reference: "C-1", Date: "2026-11-24", Kind: "report"}}, Basis: "basis-1"}
	m.must(member.Prepare(&b))
	opened, err := b.OpenRows([]int{0, 255}, tlog.Opening{})
	m.must(err)
	m.add("evaluation batch", map[string]string{"seed": h(b.Seed[:]), "input": "input", "case_0": m.text(b.Cases[0]), "first_point": h(b.points[0][:]), "last_point": h(b.points[255][:])},
		map[string]string{"body": string(b.request.Batch.Body), "signature": h(b.request.Batch.Sig), "blind_0": h(opened.Rows[0].Blind[:]),
			"last_input": h(opened.Rows[1].Input), "salt_0": opened.Rows[0].Salt.String(), "salt_255": opened.Rows[1].Salt.String()})
	draw := Draw{Size: 64, Root: tlog.Hash(seeded32("log root")), Time: 1790000000}
	draw.Sig = tlog.CosignatureOf(draw.Checkpoint("parallax/hub"), vectorKey("witness holder-1"), draw.Time)
	promise := m.object("query promise", QueryPromiseDomain, "hub", QueryPromise{Pool: "pool-1", Epoch: "2026-11", Organisation: "bank-a", Batch: b.Digest(), Commitment: opening.Hash(seeded32("commitment")), Ticket: "00ff", Time: 1790000000000000})
	asked := AskedBatch{Batch: b.Digest(), Organisation: "bank-a", Class: "email", Points: 256, Day: "2026-11-24", Promise: promise, Draw: &draw}
	m.object("what a holder was asked", AskedDomain, "holder-1", Asked{Organisation: "bank-a", Index: 1, Since: "2026-11-01", Batches: []AskedBatch{asked}, Nonce: opening.Hash(seeded32("nonce"))})
	seed := drawSeed(asked.Batch, draw.Sig)
	m.add("draw", map[string]string{"batch": asked.Batch.String(), "cosignature": h(draw.Sig), "points": "256"},
		map[string]string{"seed": seed.String(), "rows": m.text(sample(seed, 256))})
	m.object("evaluation receipt", EvaluateReceiptDomain, "holder-1", EvaluateReceipt{Batch: opening.Digest(b.request.Batch.Body), Index: 1, Charged: 256, Remaining: 1744, Day: "2026-11-24"})
	m.object("contribution receipt", ReceiptDomain, "hub", Receipt{Pool: "pool-1", Org: "bank-a", Root: opening.Hash(seeded32("root")), Commitment: opening.Hash(seeded32("commitment")), Ticket: "00ff", Time: 1790000000000000})
	req := m.object("opening request", opening.RequestDomain, "officer", opening.Request{Pool: "pool-1", Epoch: "2026-11", Manifest: 1, Labels: []seal.Label{label},
		Purpose: "investigation", LegalBasis: "basis-1", Recipient: "police", Playbook: opening.PlaybookStandard, Nonce: opening.Hash(seeded32("nonce")), Time: 1790000000000000, Expires: 1790500000000000})
	m.object("approval", opening.ApprovalDomain, "overseer", opening.Approval{Approver: "overseer", Request: opening.Digest(req.Body), Time: 1790000000000000})
	den := m.object("withdrawal", opening.DenialDomain, "bank-a", opening.Denial{Kind: opening.DenyWithdraw, Pool: "pool-1", Labels: []seal.Label{label}, Member: "bank-a", Reason: "corrected", Nonce: opening.Hash(seeded32("nonce")), Time: 1790000000000000})
	m.object("denial acknowledgement", DenialAckDomain, "holder-1", DenialAck{Denial: opening.Digest(den.Body), Holder: 1, Time: 1790000000000000})
	m.object("sealed partial", opening.PartialDomain, "holder-1", opening.SealedPartial{Request: opening.Digest(req.Body), Label: label, Index: 1, Sealed: []byte("HPKE ciphertext")})
	m.object("sealed partial of generation 2", opening.PartialDomain, "holder-1", opening.SealedPartial{Request: opening.Digest(req.Body), Label: label, Index: 1, Sealed: []byte("HPKE ciphertext"), Generation: 2})
	m.object("key of a resharing", RunKeyDomain, "holder-1", RunKey{Order: opening.Hash(seeded32("order")), Index: 1, HPKE: seeded32("hpke run")})
	m.object("handover", HandoverDomain, "holder-1", Handover{Order: opening.Hash(seeded32("order")), Sealed: [][]byte{[]byte("HPKE ciphertext")}})
	m.object("share destroyed", DestroyedDomain, "holder-1", Destroyed{Pool: "pool-1", Epoch: "2026-11", Generation: 1, Holder: "holder-1", Index: 1, Record: opening.Hash(seeded32("record")), Time: 1790000000000000})
	m.object("refusal to cosign", RefusalDomain, "holder-1", CosignRefusal{Checkpoint: opening.Digest([]byte("note")), Conflict: tlog.Conflict{Size: 64, Root: tlog.Hash(seeded32("log root")), Reason: "it does not follow"}})
	nonce := bytes.NewReader(seeded32("message nonce"))
	o, err := signed.NewMessage("hub", "bank-a", PathContribute, []byte("{}"), vectorKey("bank-a"), time.UnixMicro(1790000000000000), nonce)
	m.must(err)
	m.add("message", map[string]string{"domain": signed.MessageDomain, "key": "bank-a", "nonce": h(seeded32("message nonce")[:16])}, map[string]string{"body": string(o.Body), "signature": h(o.Sig)})
}

// pool adds what governance and holders sign before there is a pool.
func (m *maker) pool() {
	plan := Plan{Pool: "pool-1", Epoch: "2026-11", T: 2, N: 3, Classes: []selector.Class{selector.Email},
		Governance: opening.Governance{Threshold: 1, Governors: []opening.Governor{{ID: "gov", Entity: "Council", Key: public(vectorKey("gov"))}, {ID: "gov-2", Entity: "Court", Key: public(vectorKey("gov-2"))}}},
		Hub:        opening.Operator{ID: "hub", Entity: "Operator", URL: "https://hub.example", Key: public(vectorKey("hub")), LogOrigin: "parallax/hub", LogKey: public(vectorKey("log"))}}
	for i, id := range []string{"holder-1", "holder-2", "holder-3"} {
		plan.Holders = append(plan.Holders, opening.Holder{Index: i + 1, ID: id, Entity: "Body " + id, URL: "https://" + id + ".example",
			Key: public(vectorKey(id)), HPKE: seeded32("hpke " + id), Witness: public(vectorKey("witness " + id))})
	}
	m.must(plan.Check())
	digest, err := plan.Digest()
	m.must(err)
	params, err := plan.Attempt(2)
	m.must(err)
	m.add("ceremony plan", nil, map[string]string{"plan": m.text(plan), "digest": digest.String(), "params_of_attempt_2": m.text(params)})
	abort, err := dkg.SignAbort(params, 2, vectorKey("holder-2"), &dkg.Fault{Index: 3, Reason: "silent in round 1"}, nil)
	m.must(err)
	m.add("ceremony abort", map[string]string{"by": "2"}, map[string]string{"statement": string(abort)})
	order, err := SignOrder(ReshareOrder{Pool: plan.Pool, Epoch: plan.Epoch, Generation: 1, Attempt: 1, Previous: opening.Hash(seeded32("transcript")), Dealers: []int{1, 3},
		T: 2, N: 3, Holders: plan.Holders, Reason: "quarterly refresh", Issued: 1790000000000000, Expires: 1790500000000000})
	m.must(err)
	order.Add("gov", vectorKey("gov"))
	m.add("order to reshare", map[string]string{"domain": OrderDomain, "key": "gov"}, map[string]string{"body": string(order.Body), "digest": order.Digest().String(), "signature": hex.EncodeToString(order.Sigs[0].Sig)})
	rule := opening.DefaultRule()
	man := opening.Manifest{Version: 1, Pool: plan.Pool, Epoch: plan.Epoch, Issued: 1790000000000000, Scope: opening.Scope{Offences: []string{"offence-1"}, Roles: []string{"unknown", opening.RolePossibleVictim}},
		Classes:    []opening.ClassRule{{Class: selector.Email, RuleVersion: selector.Email.RuleVersion(), DailyBudget: 20000}},
		Transcript: opening.Hash(seeded32("transcript")), Hub: plan.Hub, Holders: plan.Holders, Quorum: 2,
		Members:    []opening.Member{{ID: "bank-a", Name: "Bank A", Entity: "Bank A", Sector: "bank", Key: public(vectorKey("bank-a")), Admitted: 1780000000000000, Status: opening.Active}},
		Authority:  opening.Authority{ID: "police", Entity: "Police", HPKE: seeded32("hpke police")},
		Approvers:  []opening.Approver{{ID: "officer", Entity: "Police", Role: opening.RoleAuthority, Key: public(vectorKey("officer"))}},
		LegalBases: []opening.LegalBasis{{ID: "basis-1", Purpose: "investigation", Recipient: "police", From: 1780000000000000, To: 1820000000000000}},
		Rules:      []opening.Rule{rule}, CurrentRule: rule.Hash(), Delays: opening.Delays{OpenSeconds: 86400, ReleaseEvery: 86400}, KeysEnd: 1830000000000000}
	sm, err := opening.SignManifest(man)
	m.must(err)
	sm.Add("gov", vectorKey("gov"))
	m.add("rule", nil, map[string]string{"rule": m.text(rule), "hash": rule.Hash().String()})
	m.add("manifest", map[string]string{"key_seed": h(vectorKey("gov").Seed())}, map[string]string{"body": string(sm.Body), "digest": opening.Digest(sm.Body).String(), "signature": h(sm.Sigs[0].Sig)})
}

// The bytes that others must agree on. A change here is a change of the wire
// format: it needs a new version in the domain that it touches, once anything
// has been released.
func TestWireVectors(t *testing.T) {
	m := &maker{t: t}
	m.pool()
	list := m.observations()
	m.batch(list)
	label, err := list[0].Label()
	m.must(err)
	m.objects(label)
	raw, err := json.MarshalIndent(m.all, "", " ")
	m.must(err)
	raw = append(raw, '\n')
	const path = "testdata/wire.json"
	if *update {
		m.must(errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, raw, 0o644)))
	}
	want, err := os.ReadFile(path)
	m.must(err)
	if !bytes.Equal(raw, want) {
		var old []vector
		m.must(json.Unmarshal(want, &old))
		for i, v := range m.all {
			if i >= len(old) || m.text(old[i]) != m.text(v) {
				t.Errorf("vector %d, %q, differs from %s", i, v.Name, path)
			}
		}
		t.Fatal("the wire format changed")
	}
}
