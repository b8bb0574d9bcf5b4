-- +goose Up
-- A lead that left this desk as a file: until when it may be kept, and when it
-- was said to be destroyed.
CREATE TABLE desk_export (
    id     BYTEA PRIMARY KEY,
    made   BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
