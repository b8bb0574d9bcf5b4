-- +goose Up
CREATE TABLE transparency_entry (
    ticket TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    nonce BYTEA NOT NULL,
    record BYTEA NOT NULL,
    commitment BYTEA NOT NULL,
    queued BIGINT NOT NULL,
    leaf BIGINT
);
CREATE INDEX transparency_entry_queue ON transparency_entry (leaf, queued, ticket);
CREATE UNIQUE INDEX transparency_entry_leaf ON transparency_entry (leaf) WHERE leaf IS NOT NULL;

CREATE TABLE transparency_hash (
    place BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);

CREATE TABLE transparency_checkpoint (
    size BIGINT PRIMARY KEY,
    root BYTEA NOT NULL,
    note BYTEA NOT NULL,
    made BIGINT NOT NULL
);

CREATE TABLE transparency_cosignature (
    size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    line BYTEA NOT NULL,
    PRIMARY KEY (size, witness)
);
