-- +goose Up
-- Batches of blinded queries that members handed in before they asked the key
-- holders, each by the digest of its manifest alone.
CREATE TABLE pool_query (
    org     TEXT NOT NULL,
    batch   BYTEA NOT NULL,
    ticket  TEXT NOT NULL,
    promise TEXT NOT NULL,
    PRIMARY KEY (org, batch)
);
CREATE INDEX pool_query_ticket ON pool_query (org, ticket);
