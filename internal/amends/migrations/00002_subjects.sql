-- +goose Up
-- A finding for a person who asked, sealed to the authority.
CREATE TABLE amends_subject (
    number TEXT NOT NULL,
    org TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    taken BIGINT NOT NULL,
    PRIMARY KEY (org, number)
);
CREATE INDEX amends_subject_taken ON amends_subject (taken);

-- A released opening and when it is to be looked at again.
CREATE TABLE amends_review (
    opening TEXT PRIMARY KEY,
    released BIGINT NOT NULL,
    due BIGINT NOT NULL,
    cleared BIGINT NOT NULL,
    bare BIGINT NOT NULL
);
