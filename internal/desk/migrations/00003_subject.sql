-- +goose Up
-- A person's request, with how control of the identifier was proved.
CREATE TABLE desk_subject (
    id     BYTEA PRIMARY KEY,
    made   BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
