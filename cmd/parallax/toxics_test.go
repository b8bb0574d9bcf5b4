package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/selector"
)

// Each toxic spoils the network between a desk, the hub and a key holder, in one
// direction. While it lasts a submission may fail, with an error that says that
// it may be tried again; when it is gone the same submission goes through, and
// everything is there once.
func TestABadNetworkLosesNothing(t *testing.T) {
	t.Parallel()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics log past the logger that they are given
	proxies := make(map[string]*toxiproxy.Proxy)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	s := buildWith(t, &stage{budget: 20_000, front: func(id, addr string) string {
		_, listen := freeURL(t)
		p := toxiproxy.NewProxy(server, id, listen, addr)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Stop)
		proxies[id] = p
		return "http://" + listen
	}})
	impatient := &http.Client{Timeout: 3 * time.Second}
	d, err := desk.Open(context.Background(), desk.Options{Dir: s.path("bank-a"), HTTP: impatient})
	s.must(err)
	defer d.Close()
	m := desk.Mapping{Format: desk.FormatCSV, Reference: "case", Strength: "strength", Kind: "kind", Role: "=suspected_consumer",
		Grade: "=b2", Columns: map[string]desk.ColumnMapping{"email": {Class: selector.Email}}}

	toxics := []string{
		`{"type":"latency","attributes":{"latency":50,"jitter":50}}`,
		`{"type":"slicer","attributes":{"average_size":200,"size_variation":100,"delay":100}}`,
		`{"type":"limit_data","attributes":{"bytes":1500}}`,
		`{"type":"reset_peer","attributes":{"timeout":20}}`,
		`{"type":"timeout","attributes":{"timeout":200}}`,
		`{"type":"bandwidth","attributes":{"rate":200}}`,
	}
	const rows = 30
	submitted, refused := 0, 0
	for _, toxic := range toxics {
		for _, stream := range []string{"upstream", "downstream"} {
			name := strings.Split(toxic, `"`)[3] + " " + stream
			file := s.path(fmt.Sprintf("toxic-%d.csv", submitted))
			text := "case,email,strength,kind\n"
			for i := range rows {
				text += fmt.Sprintf("c-%d-%d,person.%d@mail-one.net,2,report\n", submitted, i, submitted*rows+i)
			}
			s.save(file, text)
			for _, id := range []string{"hub", "holder-1", "holder-2"} {
				_, err := proxies[id].Toxics.AddToxicJson(strings.NewReader(strings.Replace(toxic, "{", `{"name":"x","stream":"`+stream+`",`, 1)))
				s.must(err)
			}
			err := submitFile(d, file, m)
			if err != nil {
				refused++
				if fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%s: not an error that says to try again: %v", name, err)
				}
			}
			for _, p := range proxies {
				p.Toxics.ResetToxics(context.Background())
			}
			impatient.CloseIdleConnections()
			if err := submitFile(d, file, m); err != nil {
				t.Fatalf("after %s: %v", name, err)
			}
			submitted++
		}
	}
	if refused == 0 || refused == submitted {
		t.Errorf("%d of %d submissions failed: the toxics do too little or too much", refused, submitted)
	}
	s.must(d.Close())
	var st desk.Status
	s.decode(s.at("bank-a", "status", "--json"), &st)
	s.until("the proofs", func() bool {
		return len(strings.Fields(s.at("bank-a", "receipts", "--out", s.path("receipts")))) == st.Contributions
	})
	s.kill("hub")
	s.count(submitted*rows, st.Contributions)
	t.Logf("%d toxics, %d submissions failed at first; %d observations stored once", submitted, refused, submitted*rows)
}
