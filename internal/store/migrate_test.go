package store_test

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"parallax/internal/store"
	"parallax/internal/store/storetest"
)

func file(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)} }

func TestMigrateIsPerSliceAndForwardOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		older := fstest.MapFS{"00001_init.sql": file(`CREATE TABLE crate_box (id TEXT PRIMARY KEY);`)}
		newer := fstest.MapFS{"00001_init.sql": older["00001_init.sql"],
			"00002_weight.sql": file(`ALTER TABLE crate_box ADD COLUMN weight BIGINT NOT NULL DEFAULT 7;`)}
		for _, step := range []struct {
			slice string
			files fstest.MapFS
		}{{"crate", older}, {"shelf", shelf}, {"crate", newer}, {"crate", newer}, {"shelf", shelf}} {
			if err := db.Migrate(t.Context(), step.slice, step.files); err != nil {
				t.Fatalf("%s: %v", step.slice, err)
			}
		}
		err := db.Write(t.Context(), func(c ctx, tx *store.Tx) error {
			var weight int64
			err := tx.QueryRowContext(c, `INSERT INTO crate_box (id) VALUES ($1) RETURNING weight`, "1").Scan(&weight)
			if weight != 7 {
				t.Errorf("weight %d", weight)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := db.Migrate(t.Context(), "crate", older); err == nil || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("an older program on newer tables: %v", err)
		}
	})
}

func TestMigrationIsWholeOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		broken := fstest.MapFS{"00001_init.sql": file("CREATE TABLE crate_box (id TEXT PRIMARY KEY);\nCREATE TABLE nonsense (;\n")}
		if err := db.Migrate(t.Context(), "crate", broken); err == nil {
			t.Fatal("a broken migration was accepted")
		}
		mended := fstest.MapFS{"00001_init.sql": file(`CREATE TABLE crate_box (id TEXT PRIMARY KEY);`)}
		if err := db.Migrate(t.Context(), "crate", mended); err != nil {
			t.Errorf("half of the broken migration was kept: %v", err)
		}
	})
}

func TestMigrateRefusesOddNames(t *testing.T) {
	db := storetest.SQLite(t)
	for _, name := range []string{"", "Shelf", "shelf_x", "shelf;", "1shelf", strings.Repeat("s", 40)} {
		if err := db.Migrate(t.Context(), name, shelf); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	if err := db.Migrate(t.Context(), "empty", fstest.MapFS{}); err == nil {
		t.Error("a slice without migrations was accepted")
	}
}

func TestSeveralProgramsMigrateAtOnce(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			db, err := store.Open(t.Context(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if err := db.Migrate(t.Context(), "shelf", shelf); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
