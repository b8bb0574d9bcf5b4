package hub

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parallax/client"
	"parallax/internal/store"
	"parallax/internal/store/storetest"
	"parallax/opening"
	"parallax/oprf"
	"parallax/seal"
	"parallax/selector"
	"parallax/signed"
)

const (
	blindBlock  = 51   // pairs between two ticks
	tellsApart  = 1e-6 // a p below this says that two samples differ
	controlSize = 120  // pairs of the control run
	pagesEvery  = 15   // pages are slow, so one pair in so many looks at them
)

// soak makes the long form: 10,000 pairs that say everything.
var soak = os.Getenv("PARALLAX_SOAK") != ""

func blindPairs() int {
	if soak {
		return 196 * blindBlock
	}
	return 10 * blindBlock
}

// What the other members hold of the address that a pair is about.
const (
	othersElsewhere = iota // other addresses only
	othersShare            // two others hold it
	othersReady            // three others: a lead is ready
	othersCrowd            // 26 observations, above the frequency cap
	othersVictim           // one says that the subject may be a child
	othersWithdrew         // two others held it and withdrew
	situations
)

// A side is one of two worlds in which one contributor says the same: in one it
// is alone, in the other the other members are there.
type side struct {
	*world
	crowd  bool
	http   *http.Client
	tokens map[string]oprf.Possession
	member client.Member
	theirs map[string]other // by address
}

// other is what some other member holds about an address.
type other struct {
	label  seal.Label
	ticket string
}

func newSide(t *testing.T, crowd bool, addresses []string) *side {
	t.Helper()
	s := &side{world: newWorldWith(t, storetest.SQLite(t), func(o *Options) { o.LeavesPerTick, o.DemoConsole = 512, true }), crowd: crowd, http: &http.Client{}, theirs: make(map[string]other),
		tokens: make(map[string]oprf.Possession)}
	s.member = s.world.member("bank-a")
	for part := range slices.Chunk(addresses, 2048) {
		s.tokenise(part)
		s.clock.Advance(24 * time.Hour) // a new day's budget
	}
	return s
}

// tokenise evaluates addresses once for all: a tag is the same for whoever
// evaluates it.
func (s *side) tokenise(addresses []string) {
	s.t.Helper()
	b := client.Batch{Class: selector.Email, Seed: sha256.Sum256([]byte(addresses[0])), Time: s.clock.Now().UnixMicro(), Basis: "basis-1"}
	for _, a := range addresses {
		forms, err := selector.Normalise(selector.Email, a, selector.Hint{})
		must(s.t, err)
		b.Inputs = append(b.Inputs, forms[0].Input())
	}
	must(s.t, s.member.Prepare(&b))
	got, err := s.member.Tokenise(context.Background(), &b)
	must(s.t, err)
	for i, a := range addresses {
		s.tokens[a] = got[i]
	}
}

// sealed makes an observation of org through these addresses.
func (s *side) sealed(org, kind, role string, addresses ...string) client.Contributed {
	s.t.Helper()
	m := s.world.member(org)
	mem, _ := s.man.Member(org)
	h := opening.Header{Version: opening.HeaderVersion, Pool: "pool", Epoch: "2026-11", Organisation: org, Sector: mem.Sector, Origin: "own",
		Role: role, Source: "b", Info: "2", Strength: 2, Kind: kind, Week: "2026-W44", Rule: s.man.CurrentRule, Manifest: s.man.Version}
	_, err := rand.Read(h.Nonce[:])
	must(s.t, err)
	d := client.Draft{Header: h, Payload: []byte("reference of " + org)}
	for _, a := range addresses {
		d.Possessions = append(d.Possessions, client.TagDraft{Class: selector.Email, Possession: s.tokens[a], Expires: start.AddDate(1, 0, 0).UnixMicro()})
	}
	c, _, err := m.Seal(d)
	must(s.t, err)
	return c
}

func (s *side) batch(org string, list ...client.Contributed) client.ContributeRequest {
	s.t.Helper()
	req, err := s.world.member(org).Sign(list)
	must(s.t, err)
	return req
}

func labelOf(t *testing.T, c client.Contributed) seal.Label {
	t.Helper()
	l, err := c.Observation.Label()
	must(t, err)
	return l
}

// others puts everything that the other members hold into the crowded world.
func (s *side) others(pairs []pair) {
	s.t.Helper()
	if !s.crowd {
		return
	}
	held := make(map[string][]client.Contributed)
	add := func(org, kind, role, address string) {
		c := s.sealed(org, kind, role, address)
		held[org] = append(held[org], c)
		s.theirs[address] = other{label: labelOf(s.t, c)}
	}
	crowded := make(map[string]bool)
	gone := make(map[string]bool) // possession keys
	for _, p := range pairs {
		switch p.situation {
		case othersElsewhere:
			add("platform-a", "account-report", "unknown", p.elsewhere)
		case othersVictim:
			add("hotline-a", "report", opening.RolePossibleVictim, p.address)
		case othersCrowd:
			for range 26 {
				if !crowded[p.address] {
					add("bank-b", "payment-pattern", "unknown", p.address)
				}
			}
			crowded[p.address] = true
		case othersReady:
			add("bank-b", "payment-pattern", "unknown", p.address)
			fallthrough
		default:
			add("platform-a", "account-report", "unknown", p.address)
			add("hotline-a", "report", "unknown", p.address)
			if p.situation == othersWithdrew {
				token := s.tokens[p.address]
				gone[string(token.Public())] = true
			}
		}
	}
	labels := make(map[string][]seal.Label)
	tickets := make(map[seal.Label]string)
	for org, list := range held {
		for part := range slices.Chunk(list, 256) {
			_, r, err := s.world.member(org).Contribute(context.Background(), s.batch(org, part...))
			must(s.t, err)
			for _, c := range part {
				l := labelOf(s.t, c)
				tickets[l] = r.Ticket
				if gone[string(possessed(c))] {
					labels[org] = append(labels[org], l)
				}
			}
		}
	}
	for org, ls := range labels {
		must(s.t, s.call(org, client.PathWithdraw, s.denial(org, ls...), nil))
	}
	for a, o := range s.theirs {
		if o.ticket == "" {
			s.theirs[a] = other{o.label, tickets[o.label]}
		}
	}
}

func possessed(c client.Contributed) []byte {
	h, err := opening.DecodeHeader(c.Observation.Header)
	if err != nil {
		return nil
	}
	return h.Tags[0].Key
}

func (s *side) denial(org string, labels ...seal.Label) signed.Object {
	s.t.Helper()
	return s.signDenial(org, opening.Denial{Kind: opening.DenyWithdraw, Labels: labels, Member: org})
}

// correction is a member's about observations that it calls its own.
func (s *side) correction(org, kind string, labels ...seal.Label) signed.Object {
	s.t.Helper()
	return s.signDenial(org, opening.Denial{Kind: kind, Labels: labels, Member: org, Author: org})
}

func (s *side) signDenial(org string, d opening.Denial) signed.Object {
	s.t.Helper()
	d.Pool, d.Reason, d.Time = "pool", "corrected", s.clock.Now().UnixMicro()
	_, err := rand.Read(d.Nonce[:])
	must(s.t, err)
	o, err := signed.Sign(opening.DenialDomain, org, s.keys[org], d)
	must(s.t, err)
	return o
}

// A pair is one conversation that is held in both worlds.
type pair struct {
	address, own, elsewhere string
	situation, turn         int
	alone, crowded          talk
}

// says picks what is said in one of three pairs only, so that the quick suite
// stays quick.
func (p *pair) says(turn int) bool { return soak || p.turn%3 == turn }

// A talk is one side of a pair: what was contributed and every answer.
type talk struct {
	first   client.Contributed
	receipt client.Receipt
	answers []answer
}

// An answer is all that a contributor can observe of one answer.
type answer struct {
	step   string
	status int
	header string // names, and the values that are not random
	body   string // masked
	size   int    // of the body as it came; masked where random values decide it
	took   time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("%s: %d, %d bytes\n%s\n%s", a.step, a.status, a.size, a.header, a.body)
}

func (s *side) send(tk *talk, step, method, path string, body []byte) []byte {
	s.t.Helper()
	s.clock.Advance(time.Millisecond) // each act has a time of its own, the same in both worlds
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	must(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodGet { // as who the contributor is on the hub's pages
		_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
		req.AddCookie(&http.Cookie{Name: "parallax-demo-" + port, Value: "contributor/bank-a"})
	}
	began := time.Now()
	res, err := s.http.Do(req)
	must(s.t, err)
	raw, err := io.ReadAll(res.Body)
	took := time.Since(began)
	must(s.t, err)
	must(s.t, res.Body.Close())
	a := answer{step: step, status: res.StatusCode, size: len(raw), body: masked(string(raw)), took: took}
	// A proof's length follows from the random place of its leaf, and a page's
	// from how many characters of a key are escaped.
	varies := strings.Contains(a.body, "inclusion") || strings.HasPrefix(a.body, "<!doctype html>")
	if varies {
		a.size = len(a.body)
	}
	for name, v := range res.Header {
		if slices.Contains([]string{"Date", "X-Request-Id"}, name) || varies && name == "Content-Length" {
			v = []string{"*"}
		}
		a.header += name + ": " + strings.Join(v, ",") + "\n"
	}
	lines := strings.Split(a.header, "\n")
	slices.Sort(lines)
	a.header = strings.Join(lines, "\n")
	tk.answers = append(tk.answers, a)
	return raw
}

// message signs body for path as the contributor.
func (s *side) message(path string, body any) []byte {
	s.t.Helper()
	raw, err := signed.Marshal(body)
	must(s.t, err)
	o, err := signed.NewMessage("hub", "bank-a", path, raw, s.keys["bank-a"], s.clock.Now(), rand.Reader)
	must(s.t, err)
	raw, err = signed.Marshal(o)
	must(s.t, err)
	return raw
}

func (s *side) say(tk *talk, step, path string, body any) []byte {
	s.t.Helper()
	return s.send(tk, step, http.MethodPost, path, s.message(path, body))
}

var (
	// object is a signed object's body, in base64.
	object = regexp.MustCompile(`"(body|checkpoint|record)":"([A-Za-z0-9+/=]+)"`)
	// random are the members whose values are hashes, signatures or random.
	random = regexp.MustCompile(`"(root|commitment|ticket|sig|request_id|nonce|denial)":"[^"]*"`)
	// place is where the log's shuffle put a leaf, with the hashes to there.
	place = regexp.MustCompile(`"(leaf|index)":[0-9]+|"(path|hashes)":\[[^\]]*\]`)
	// noted are the root and the signatures of a checkpoint.
	noted = regexp.MustCompile(`(?m)^(— \S+ )\S+$|^[A-Za-z0-9+/]{43}=$`)
	// shown are hashes, keys, request ids and the test server's address on a page.
	shown = regexp.MustCompile(`\b[0-9a-f]{16,128}\b|\b[A-Z2-7]{16}\b|[A-Za-z0-9+/]{43,}=?|\+[0-9a-f]{8}\+|127\.0\.0\.1:[0-9]+`)
)

// masked replaces signatures, hashes and random values, and nothing else.
func masked(text string) string {
	text = object.ReplaceAllStringFunc(text, func(m string) string {
		parts := object.FindStringSubmatch(m)
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil {
			return m
		}
		return `"` + parts[1] + `":<` + masked(string(raw)) + `>`
	})
	text = random.ReplaceAllString(text, `"$1":"*"`)
	text = place.ReplaceAllString(text, `"$1$2":*`)
	text = noted.ReplaceAllString(strings.ReplaceAll(text, "&#43;", "+"), "${1}*")
	return shown.ReplaceAllString(text, "*")
}

// before is what the contributor says before the log's tick.
func (s *side) before(p *pair, tk *talk) {
	s.t.Helper()
	s.say(tk, "a batch handed in", client.PathQueries, client.QueryRequest{Batch: sha256.Sum256([]byte(p.address))})
	tk.first = s.sealed("bank-a", "payment-pattern", "unknown", p.address, p.own)
	req := s.batch("bank-a", tk.first)
	message := s.message(client.PathContribute, req)
	raw := s.send(tk, "contribute", http.MethodPost, client.PathContribute, message)
	var ans client.ContributeAnswer
	must(s.t, json.Unmarshal(raw, &ans))
	var err error
	tk.receipt, err = client.CheckReceipt(ans.Receipt, s.man.Hub.Key)
	must(s.t, err)
	s.say(tk, "a duplicate", client.PathContribute, s.batch("bank-a", tk.first, s.sealed("bank-a", "payment-pattern", "unknown", p.own)))
	s.say(tk, "a receipt before the tick", client.PathReceipts, client.ReceiptRequest{Ticket: tk.receipt.Ticket})
	theirs := s.theirOf(*p)
	if p.says(0) {
		s.send(tk, "the same message", http.MethodPost, client.PathContribute, message)
		s.say(tk, "the same batch", client.PathContribute, req)
		s.say(tk, "another's receipt", client.PathReceipts, client.ReceiptRequest{Ticket: theirs.ticket})
		s.say(tk, "another's observation withdrawn", client.PathWithdraw, s.denial("bank-a", theirs.label))
		s.say(tk, "another's observation frozen", client.PathCorrect, s.correction("bank-a", opening.DenyFreeze, theirs.label))
		s.say(tk, "another's freeze lifted", client.PathCorrect, s.correction("bank-a", opening.DenyUphold, theirs.label))
		s.say(tk, "its own frozen", client.PathCorrect, s.correction("bank-a", opening.DenyFreeze, labelOf(s.t, tk.first)))
	}
	if p.says(1) {
		s.say(tk, "a refused line", client.PathContribute, s.batch("bank-a", tk.first, s.sealed("bank-a", "payment-pattern", "witness", p.address)))
		forged := req
		forged.Sig = s.batch("bank-b", tk.first).Sig
		forged.Root[0] ^= 1
		s.say(tk, "a forged batch", client.PathContribute, forged)
	}
	if p.says(2) {
		s.say(tk, "list leads", client.PathLeads, struct{}{})
		s.say(tk, "list openings", client.PathList, struct{}{})
		s.say(tk, "what waits", client.PathWaiting, struct{}{})
		s.say(tk, "fetch", client.PathFetch, client.OpeningID{ID: "opening"})
	}
}

// theirOf is what another member holds about the pair's address; in the world
// without them, a ticket and a label of the same form.
func (s *side) theirOf(p pair) other {
	for _, a := range []string{p.address, p.elsewhere} {
		if o, ok := s.theirs[a]; ok {
			return o
		}
	}
	var raw [16]byte
	_, err := rand.Read(raw[:])
	must(s.t, err)
	return other{label: seal.Label(sha512.Sum512(raw[:])), ticket: hex.EncodeToString(raw[:])}
}

// after is what it says when the log has grown.
func (s *side) after(p *pair, tk *talk) {
	s.t.Helper()
	s.say(tk, "a receipt after the tick", client.PathReceipts, client.ReceiptRequest{Ticket: tk.receipt.Ticket})
	if p.says(0) {
		s.say(tk, "its own upheld", client.PathCorrect, s.correction("bank-a", opening.DenyUphold, labelOf(s.t, tk.first)))
	}
	if p.says(1) {
		s.say(tk, "the digest of outcomes", client.PathOutcomes, client.OutcomesRequest{})
		s.say(tk, "a step after an opening", client.PathHandle, client.HandleRequest{ID: "opening"})
	}
	o := s.denial("bank-a", labelOf(s.t, tk.first))
	s.say(tk, "withdraw", client.PathWithdraw, o)
	if p.says(1) {
		s.say(tk, "withdraw again", client.PathWithdraw, o)
	}
	if p.says(2) {
		s.say(tk, "withdrawn before", client.PathContribute, s.batch("bank-a", s.sealed("bank-a", "payment-pattern", "unknown", p.address), tk.first))
	}
	if p.turn%pagesEvery == 0 {
		for _, path := range []string{client.PathCheckpoint, "/", "/log", "/log/growth.csv", "/keys",
			"/contribute", "/contribute/state", "/openings", "/openings/state", "/leads/some"} {
			s.send(tk, "GET "+path, http.MethodGet, path, nil)
		}
	}
}

// plan draws the pairs: which situation each is in.
func plan(rng *mathrand.Rand, n int, only ...int) (pairs []pair, addresses []string) {
	for i := range n {
		p := pair{address: fmt.Sprintf("shared.%d@example.org", i), own: fmt.Sprintf("own.%d@example.org", i), situation: rng.IntN(situations), turn: i}
		if len(only) > 0 {
			p.situation = only[0]
		}
		switch p.situation {
		case othersCrowd:
			p.address = "everywhere@example.org"
		case othersElsewhere:
			p.elsewhere = fmt.Sprintf("elsewhere.%d@example.org", i)
		}
		for _, a := range []string{p.address, p.own, p.elsewhere} {
			if a != "" && !slices.Contains(addresses, a) {
				addresses = append(addresses, a)
			}
		}
		pairs = append(pairs, p)
	}
	return pairs, addresses
}

// inBoth runs one step of a pair in both worlds, in random order.
func inBoth(rng *mathrand.Rand, alone, crowded *side, p *pair, step func(*side, *pair, *talk)) {
	if rng.IntN(2) == 0 {
		step(alone, p, &p.alone)
		step(crowded, p, &p.crowded)
		return
	}
	step(crowded, p, &p.crowded)
	step(alone, p, &p.alone)
}

func tickBoth(t *testing.T, alone, crowded *side, d time.Duration) {
	t.Helper()
	for _, s := range []*side{alone, crowded} {
		s.clock.Advance(d)
		must(t, s.hub.Tick(context.Background()))
	}
}

// What a contributor gets does not depend on what the other members hold: the
// same answers in the same order, byte by byte after masking, and latencies
// that neither of two tests tells apart.
func TestAContributorCannotSeeTheOthers(t *testing.T) {
	rng := mathrand.New(mathrand.NewPCG(11, 29))
	pairs, addresses := plan(rng, blindPairs())
	alone, crowded := newSide(t, false, addresses), newSide(t, true, addresses)
	alone.others(pairs)
	crowded.others(pairs)
	tickBoth(t, alone, crowded, time.Minute)
	tickBoth(t, alone, crowded, 61*time.Minute)
	if n := len(crowded.leads()); n < len(pairs)/situations/2 {
		t.Fatalf("%d leads are ready among the others; the worlds hardly differ", n)
	}
	for block := range slices.Chunk(pairs, blindBlock) {
		for i := range block {
			inBoth(rng, alone, crowded, &block[i], (*side).before)
		}
		tickBoth(t, alone, crowded, time.Minute)
		for i := range block {
			inBoth(rng, alone, crowded, &block[i], (*side).after)
		}
		tickBoth(t, alone, crowded, time.Minute)
	}
	compare(t, pairs)
	for step, p := range latencies(pairs) {
		t.Logf("%-34s medians %8v %8v, rank sum p = %.2g, signed rank p = %.2g", step, p.median[0], p.median[1], p.sum, p.signed)
		if min(p.sum, p.signed) < tellsApart {
			t.Errorf("%s: latencies tell whether others are there: p = %.2g, %.2g", step, p.sum, p.signed)
		}
	}
}

// compare fails where an answer of a pair differs.
func compare(t *testing.T, pairs []pair) {
	t.Helper()
	bad := 0
	for i, p := range pairs {
		if why := differ(p.alone.answers, p.crowded.answers); why != "" && bad < 5 {
			bad++
			t.Errorf("pair %d, situation %d: %s", i, p.situation, why)
		}
	}
}

func differ(a, b []answer) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d answers alone, %d with others", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		x.took, y.took = 0, 0
		if x != y {
			l, r := fmt.Sprint(x), fmt.Sprint(y)
			at := 0
			for at < min(len(l), len(r)) && l[at] == r[at] {
				at++
			}
			return fmt.Sprintf("%s: alone ...%s\nwith others ...%s", x.step, l[max(at-60, 0):min(at+200, len(l))], r[max(at-60, 0):min(at+200, len(r))])
		}
	}
	return ""
}

type told struct {
	sum, signed float64
	median      [2]time.Duration
}

// latencies tests each step of the conversation.
func latencies(pairs []pair) map[string]told {
	a, b, d := make(map[string][]float64), make(map[string][]float64), make(map[string][]float64)
	for _, p := range pairs {
		for i, x := range p.alone.answers {
			y := p.crowded.answers[i]
			a[x.step] = append(a[x.step], float64(x.took))
			b[x.step] = append(b[x.step], float64(y.took))
			d[x.step] = append(d[x.step], float64(y.took-x.took))
		}
	}
	out := make(map[string]told)
	for step := range a {
		v := told{sum: rankSum(a[step], b[step]), signed: signedRank(d[step])}
		for i, list := range [][]float64{a[step], b[step]} {
			slices.Sort(list)
			v.median[i] = time.Duration(list[len(list)/2]).Round(10 * time.Microsecond)
		}
		out[step] = v
	}
	return out
}

// leaky is what ingest must never do: it looks up who else holds a tag and
// checks what it finds. Its answers are the hub's own.
func (s *side) leaky(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		must(s.t, err)
		var o signed.Object
		var m signed.Message
		var req client.ContributeRequest
		must(s.t, json.Unmarshal(raw, &o))
		must(s.t, json.Unmarshal(o.Body, &m))
		must(s.t, json.Unmarshal(m.Body, &req))
		must(s.t, s.hub.o.DB.Read(r.Context(), func(ctx context.Context, tx *store.Tx) error {
			for _, c := range req.Observations {
				h, err := opening.DecodeHeader(c.Observation.Header)
				if err != nil {
					return err
				}
				tag := h.Tags[0].Tag()
				rows, err := tx.QueryContext(ctx, `SELECT o.label FROM pool_obs_tag t JOIN pool_observation o ON o.label = t.label WHERE t.tag = $1 AND o.org <> 'bank-a'`, tag[:])
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() { // the work of looking at one match
					if _, _, err := c.Observation.Verify(); err != nil {
						return err
					}
				}
				return rows.Err()
			}
			return nil
		}))
		r.Body = io.NopCloser(bytes.NewReader(raw))
		next.ServeHTTP(w, r)
	})
}

// The same comparison finds a leak that is planted: work that grows with the
// number of matches, a header more, a byte more, another status.
func TestThatComparisonFindsALeak(t *testing.T) {
	rng := mathrand.New(mathrand.NewPCG(3, 1))
	pairs, addresses := plan(rng, controlSize, othersCrowd)
	alone, crowded := newSide(t, false, addresses), newSide(t, true, addresses)
	crowded.others(pairs)
	for _, s := range []*side{alone, crowded} {
		srv := httptest.NewServer(s.leaky(s.hub.Handler()))
		t.Cleanup(srv.Close)
		s.url = srv.URL
	}
	contribute := func(s *side, p *pair, tk *talk) {
		s.say(tk, "contribute", client.PathContribute, s.batch("bank-a", s.sealed("bank-a", "payment-pattern", "unknown", p.address)))
	}
	for i := range pairs {
		inBoth(rng, alone, crowded, &pairs[i], contribute)
	}
	compare(t, pairs) // by the bytes alone this leak does not show
	p := latencies(pairs)["contribute"]
	t.Logf("medians %v, rank sum p = %.2g, signed rank p = %.2g", p.median, p.sum, p.signed)
	if p.signed > tellsApart {
		t.Errorf("the planted leak was not found: p = %.2g, %.2g", p.sum, p.signed)
	}
	good := []answer{{step: "x", status: 200, header: "Date: *", body: "{}", size: 2}}
	for name, change := range map[string]func(*answer){
		"a header": func(a *answer) { a.header += "\nX-More: 1" }, "a byte": func(a *answer) { a.size++ },
		"a status": func(a *answer) { a.status = 202 }, "the body": func(a *answer) { a.body = "[]" }, "the order": func(a *answer) { a.step = "y" },
	} {
		other := slices.Clone(good)
		change(&other[0])
		if differ(good, other) == "" {
			t.Errorf("%s more was not found", name)
		}
	}
	if differ(good, slices.Clone(good)) != "" || differ(good, nil) == "" {
		t.Error("equal answers differ, or missing ones do not")
	}
}
