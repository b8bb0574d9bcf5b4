// Package store opens the database and gives out transactions; it knows no
// table. One SQL text runs on two drivers: SQLite (one file, one process) and
// PostgreSQL.
//
// What callers may rely on, on both:
//
//   - What Write has acknowledged is on the disk: SQLite runs in WAL mode with
//     synchronous=FULL, PostgreSQL with fsync and synchronous_commit on. Open
//     reads the settings back and refuses a database that answers otherwise.
//   - Write runs its function in one transaction that is kept whole or not at
//     all. On SQLite there is one writer at a time. On PostgreSQL transactions
//     run at READ COMMITTED, so two of them may both read a row before either
//     changes it: decide inside the UPDATE (conditional updates, unique
//     indexes), never on what was read before it.
//   - Write may run its function again after PostgreSQL reports a serialization
//     failure or a deadlock, so the function must have no effect outside its Tx.
//   - Read runs its function on one snapshot and cannot change anything.
//   - Foreign keys are enforced, LIKE tells upper from lower case, and a
//     double-quoted word is never taken for a string.
//
// The shared subset of SQL: $1..$n in ascending first use; BYTEA, BOOLEAN,
// BIGINT and TEXT; CHECK, foreign keys, partial unique indexes; ON CONFLICT ..
// DO UPDATE .. RETURNING; multi-row VALUES; row-value keyset paging; FILTER,
// window functions, recursive CTEs; SUM(BIGINT) inside CAST(.. AS BIGINT). Ids
// are random TEXT or BYTEA made in Go, times BIGINT microseconds in UTC, JSON
// is TEXT. Neither the order of TEXT beyond ASCII nor the NULs in it are
// shared. A nil []byte is NULL on both; an empty one is an empty value.
//
// A table is named after the slice that owns it (pool_token), and no SQL names
// a table of another slice.
package store
