-- +goose Up
CREATE TABLE desk_setting (
    id     BYTEA PRIMARY KEY,
    sealed BYTEA NOT NULL
);
-- One evaluation batch of an unfinished submission: seed, time and inputs.
CREATE TABLE desk_batch (
    id     BYTEA PRIMARY KEY,
    input  BYTEA NOT NULL,
    sealed BYTEA NOT NULL
);
CREATE INDEX desk_batch_input ON desk_batch (input);
-- One contribution: the exact request before it is sent, then its receipt.
CREATE TABLE desk_contribution (
    id       BYTEA PRIMARY KEY,
    made     BIGINT NOT NULL,
    received BIGINT NOT NULL DEFAULT 0,
    request  BYTEA NOT NULL,
    receipt  BYTEA
);
-- Rows that are in a contribution; the same row is never submitted twice.
CREATE TABLE desk_row (
    id           BYTEA PRIMARY KEY,
    contribution BYTEA NOT NULL REFERENCES desk_contribution (id)
);
-- Own records by tag and by reference; one record has several keys.
CREATE TABLE desk_record (
    id     BYTEA NOT NULL,
    label  BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (id, label)
);
