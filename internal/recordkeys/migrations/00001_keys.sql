-- +goose Up
-- One key per record, in a database apart from the records: where a row is
-- gone, every copy of its record, in backups as well, is unreadable for good.
CREATE TABLE recordkeys_key (
    id BYTEA PRIMARY KEY,
    key BYTEA NOT NULL,
    made BIGINT NOT NULL
);
