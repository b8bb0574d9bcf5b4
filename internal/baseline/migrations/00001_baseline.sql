-- +goose Up
-- One capture and what was estimated from it. The capture table itself is not
-- kept: body holds only figures that pass the thresholds.
CREATE TABLE baseline_run (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    quarter TEXT NOT NULL,
    input BYTEA NOT NULL,
    body TEXT NOT NULL,
    made BIGINT NOT NULL,
    UNIQUE (class, quarter)
);
-- What a clerical check of links found.
CREATE TABLE baseline_audit (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    day TEXT NOT NULL,
    body TEXT NOT NULL,
    made BIGINT NOT NULL
);
CREATE INDEX baseline_audit_class ON baseline_audit (class, day);
-- What was published, as the hub signed it. Never changed.
CREATE TABLE baseline_release (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL UNIQUE REFERENCES baseline_run (id),
    class TEXT NOT NULL,
    body TEXT NOT NULL,
    ticket TEXT NOT NULL,
    made BIGINT NOT NULL
);
CREATE INDEX baseline_release_class ON baseline_release (class, made);
