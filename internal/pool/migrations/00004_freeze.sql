-- +goose Up
-- A row keeps an observation from counting and opening. The organisation's own
-- rows of pool_observation do not change with it: what somebody else froze or
-- revoked must not show to its contributor. final: revoked, not to be decided.
CREATE TABLE pool_freeze (
    label BYTEA NOT NULL,
    author TEXT NOT NULL,
    since BIGINT NOT NULL,
    final BOOLEAN NOT NULL,
    PRIMARY KEY (label, author)
);
CREATE INDEX pool_freeze_author ON pool_freeze (author);
