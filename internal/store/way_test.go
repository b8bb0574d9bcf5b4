package store

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A database on another machine is reached by verified TLS or not at all.
func TestPostgresElsewhereNeedsTLS(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for dsn, ok := range map[string]bool{
		"postgres://u@/x?host=/run/postgresql":            true,
		"postgres://u@127.0.0.1/x":                        true,
		"postgres://u@localhost/x?sslmode=disable":        true,
		"postgres://u@[::1]/x":                            true,
		"postgres://u@db.example/x?sslmode=verify-full":   true,
		"postgres://u@db.example/x":                       false, // the driver would prefer TLS and fall back
		"postgres://u@db.example/x?sslmode=disable":       false,
		"postgres://u@db.example/x?sslmode=require":       false, // TLS with whoever answers
		"postgres://u@127.0.0.1,db.example/x":             false,
		"postgres://u@192.0.2.7/x?sslmode=allow":          false,
		"postgres://u@127.0.0.1.example/x?sslmode=prefer": false,
	} {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkWay(config); (err == nil) != ok {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
