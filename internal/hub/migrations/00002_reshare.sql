-- +goose Up
-- What governance ordered about the key shares; the last attempt of a generation
-- is the one that is open.
CREATE TABLE hub_reshare_order (
    generation BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (generation, attempt)
);
CREATE TABLE hub_reshare_board (
    generation BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    step TEXT NOT NULL,
    place BIGINT NOT NULL,
    message BYTEA NOT NULL,
    PRIMARY KEY (generation, attempt, step, place)
);
-- Complete generations after the ceremony's.
CREATE TABLE hub_reshare (
    generation BIGINT PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE hub_destroyed (
    generation BIGINT NOT NULL,
    place BIGINT NOT NULL,
    statement TEXT NOT NULL,
    PRIMARY KEY (generation, place)
);
