-- +goose Up
-- A denial that this hub has taken, on its way to all whom it concerns.
CREATE TABLE amends_act (
    digest BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    taken BIGINT NOT NULL
);
CREATE INDEX amends_act_taken ON amends_act (taken, digest);

-- One row per key holder that must keep it and per released opening in which
-- somebody may have read what it names. done is when the receipt came, 0 before.
CREATE TABLE amends_delivery (
    digest BYTEA NOT NULL REFERENCES amends_act (digest),
    recipient TEXT NOT NULL,
    opening TEXT NOT NULL,
    due BIGINT NOT NULL,
    done BIGINT NOT NULL,
    receipt TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (digest, recipient, opening)
);
CREATE INDEX amends_delivery_done ON amends_delivery (done, due);
