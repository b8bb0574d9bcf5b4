package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parallax/internal/store"
)

// childDB makes this test binary the program that is killed: it writes rows to
// the database named by the variable and prints each one once Write returned.
// With childNormal it writes to SQLite as SQLite is often set up, without an
// fsync at each commit.
const (
	childDB     = "PARALLAX_STORE_TEST_CHILD"
	childNormal = "PARALLAX_STORE_TEST_NORMAL"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childDB); path != "" {
		write := writeForEver
		if os.Getenv(childNormal) != "" {
			write = writeNormal
		}
		fmt.Fprintln(os.Stderr, "child:", write(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func writeForEver(path string) error {
	db, err := store.Open(context.Background(), path)
	if err != nil {
		return err
	}
	var n int
	for {
		err := db.Write(context.Background(), func(c ctx, tx *store.Tx) error {
			if err := tx.QueryRowContext(c, `SELECT COUNT(*) FROM shelf_item`).Scan(&n); err != nil {
				return err
			}
			return add(c, tx, fmt.Sprint(n), "a", false, 1)
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func writeNormal(path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := db.ExecContext(context.Background(), `INSERT INTO shelf_item (id, owner, open, amount) VALUES ($1, 'a', FALSE, 1)`, fmt.Sprint("normal-", os.Getpid(), "-", n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKilledProcessLosesNothing kills a writing process at some act and counts:
// what it acknowledged is there, and at most the one act under way more.
func TestKilledProcessLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), "shelf", shelf); err != nil {
		t.Fatal(err)
	}
	var before int64
	for round := range 8 {
		acknowledged := killAfter(t, path, 3+5*round)
		got := total(t, db)
		if got < before+int64(acknowledged) || got > before+int64(acknowledged)+1 {
			t.Fatalf("round %d: %d rows after %d and %d acknowledged", round, got, before, acknowledged)
		}
		before = got
	}
}

// killAfter runs the child, kills it when it has acknowledged n acts, and
// returns how many it had acknowledged by then.
func killAfter(t *testing.T, path string, n int) (acknowledged int) {
	t.Helper()
	return crashAfter(t, path, n, func() {})
}

// crashAfter is killAfter where something else breaks just before the kill.
func crashAfter(t *testing.T, path string, n int, breaks func(), env ...string) (acknowledged int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), childDB+"="+path), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if acknowledged++; acknowledged == n {
			breaks()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || acknowledged < n {
		t.Fatalf("the child ended by itself after %d acts: %v", acknowledged, err)
	}
	return acknowledged
}
