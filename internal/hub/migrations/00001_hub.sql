-- +goose Up
CREATE TABLE hub_setting (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE hub_board (
    attempt BIGINT NOT NULL,
    round BIGINT NOT NULL,
    place BIGINT NOT NULL,
    message BYTEA NOT NULL,
    PRIMARY KEY (attempt, round, place)
);
-- What holders signed when an attempt at the ceremony ended for them.
CREATE TABLE hub_abort (
    attempt BIGINT NOT NULL,
    place BIGINT NOT NULL,
    statement BYTEA NOT NULL,
    PRIMARY KEY (attempt, place)
);
CREATE TABLE hub_manifest (
    version BIGINT PRIMARY KEY,
    body TEXT NOT NULL,
    received BIGINT NOT NULL
);
CREATE TABLE hub_nonce (
    sender TEXT NOT NULL,
    nonce TEXT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (sender, nonce)
);
CREATE INDEX hub_nonce_seen ON hub_nonce (seen);
