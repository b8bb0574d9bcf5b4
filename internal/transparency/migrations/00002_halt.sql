-- +goose Up
-- A row makes the log read-only, across restarts: this witness has cosigned
-- what the log does not hold. The row goes when the same witness cosigns again.
CREATE TABLE transparency_halt (
    witness TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    noticed BIGINT NOT NULL
);
