package house

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// query is what begins like SQL.
	query = regexp.MustCompile(`(?is)^\s*(SELECT\s.+|INSERT\s+INTO\s|UPDATE\s+[\w?]+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX)\s|WITH\s+(RECURSIVE\s+)?\w+\s*(\([^)]*\))?\s+AS\s*\()`)
	// named is a table in a query: upper-case keywords, so that prose is not read.
	named = regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|TABLE(?:\s+IF(?:\s+NOT)?\s+EXISTS)?|REFERENCES|INDEX(?:\s+IF\s+NOT\s+EXISTS)?\s+\w+\s+ON)\s+([a-z_][a-z0-9_]*)`)
	// common are the names that a query gives to its own parts.
	common   = regexp.MustCompile(`(?:\bWITH\s+(?:RECURSIVE\s+)?|\)\s*,\s*)([a-z_][a-z0-9_]*)\s*(?:\([^)]*\))?\s+AS\s*(?:(?:NOT\s+)?MATERIALIZED\s*)?\(`)
	distinct = regexp.MustCompile(`\bIS\s+(NOT\s+)?DISTINCT\s+FROM\b`)
	remark   = regexp.MustCompile(`--[^\n]*`)
	// outside is what only one of the two databases reads.
	outside = regexp.MustCompile(`(?i)::[a-z]|\bFOR\s+UPDATE\b|\bILIKE\b|\bIDENTITY\b|\b(BIG)?SERIAL\b|\bAUTOINCREMENT\b|\bJSONB?\b\s*(,|NOT|\))|\bTIMESTAMPTZ?\b|\bnow\s*\(`)
)

// owner is the slice whose tables the package in dir may name: its folder.
func owner(dir string) string {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 || parts[0] != "internal" {
		return ""
	}
	return parts[1]
}

func sqlRule(files []*file) (found []finding) {
	for _, f := range files {
		own := owner(f.dir())
		switch {
		case f.ext() == ".sql":
			found = append(found, migrationRule(f, own)...)
		case f.ast == nil || f.test() || own == "" || own == "store" || own == "house":
		default:
			f.strings(func(text string, line int) {
				where := fmt.Sprintf("%s:%d", f.path, line)
				_, rank, _ := layer(f.dir())
				inStore := strings.HasPrefix(f.base(), "store")
				if !inStore && !query.MatchString(text) {
					return
				}
				if !inStore && rank == rankSlice {
					found = append(found, finding{where, "inside a slice, SQL stands in store*.go only"})
				}
				for _, why := range tables(text, own) {
					found = append(found, finding{where, why})
				}
			})
		}
	}
	return found
}

func migrationRule(f *file, own string) (found []finding) {
	if !strings.HasPrefix(f.text, "-- +goose Up") {
		found = append(found, finding{f.path, `a migration begins with "-- +goose Up"`})
	}
	if strings.Contains(f.text, "+goose Down") {
		found = append(found, finding{f.path, "migrations go forward only"})
	}
	for _, why := range tables(f.text, own) {
		found = append(found, finding{f.path, why})
	}
	return found
}

// tables gives a reason for each table in a query that is not own's, and for
// what the two databases do not share.
func tables(text, own string) (why []string) {
	text = remark.ReplaceAllString(text, "")
	if m := outside.FindString(text); m != "" && query.MatchString(strings.TrimSpace(text)) {
		why = append(why, fmt.Sprintf("%q is not in the SQL that both databases share", strings.TrimSpace(m)))
	}
	text = distinct.ReplaceAllString(text, "<>")
	var parts []string
	for _, m := range common.FindAllStringSubmatch(text, -1) {
		parts = append(parts, m[1])
	}
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], own+"_") && !slices.Contains(parts, m[1]) {
			why = append(why, fmt.Sprintf("names %s, which is not a table of %s", m[1], own))
		}
	}
	return why
}

func TestSQL(t *testing.T) {
	in := func(text string) string { return "package pool\nconst q = `" + text + "`" }
	examples(t, sqlRule, []example{
		{"internal/pool/store.go", in(`SELECT a FROM pool_token JOIN pool_link ON x = y WHERE b = $1`), false},
		{"internal/pool/store_link.go", in(`INSERT INTO pool_token (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = excluded.b`), false},
		{"internal/pool/store.go", in(`SELECT a FROM pool_token JOIN leads_lead ON x = y`), true},
		{"internal/pool/store.go", in(`WITH seen AS (SELECT a FROM pool_token), more AS (SELECT 1) SELECT * FROM seen JOIN more ON 1 = 1`), false},
		{"internal/pool/store.go", in(`WITH RECURSIVE r (n) AS (SELECT 1) SELECT n FROM r, (SELECT 1) AS x WHERE n IS DISTINCT FROM x`), false},
		{"internal/pool/store.go", in(`DELETE FROM token`), true},
		{"internal/pool/store.go", in(`UPDATE leads_lead SET a = 1`), true},
		{"internal/pool/store.go", in(`SELECT a::text FROM pool_token`), true},
		{"internal/pool/store.go", in(`SELECT a FROM pool_token FOR UPDATE`), true},
		{"internal/pool/store.go", "package pool\nvar q = `SELECT a ` + cols + ` FROM leads_lead`", true},
		{"internal/pool/store.go", "package pool\nvar q = ` JOIN leads_lead ON x = y`", true},
		{"internal/pool/service.go", in(`SELECT a FROM pool_token`), true},
		{"internal/pool/service.go", in(`update pool_token set a = 1`), true},
		{"internal/pool/service.go", in(`Select a row, please.`), true},
		{"internal/pool/service.go", in(`Update the policy before it expires.`), false},
		{"internal/pool/service.go", in(`With thanks from leads_lead`), false},
		{"internal/transparency/log.go", "package transparency\nconst q = `SELECT a FROM transparency_leaf`", false},
		{"internal/transparency/log.go", "package transparency\nconst q = `SELECT a FROM pool_token`", true},
		{"internal/pool/service_test.go", in(`SELECT a FROM leads_lead`), false},
		{"internal/pool/migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE pool_a (id TEXT);\nCREATE UNIQUE INDEX pool_a_x ON pool_a (id);\n", false},
		{"internal/pool/migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE pool_a (id TEXT REFERENCES leads_b (id));\n", true},
		{"internal/pool/migrations/00001_init.sql", "-- +goose Up\nCREATE INDEX pool_a_x ON leads_a (id);\n", true},
		{"internal/pool/migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE pool_a (id BIGSERIAL);\n", true},
		{"internal/pool/migrations/00001_init.sql", "CREATE TABLE pool_a (id TEXT);\n", true},
		{"internal/pool/migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE pool_a (id TEXT);\n-- +goose Down\nDROP TABLE pool_a;\n", true},
	})
	report(t, sqlRule(tree(t)))
}
