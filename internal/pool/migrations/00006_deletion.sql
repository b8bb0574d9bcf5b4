-- +goose Up
-- What an observation says is sealed under its own key, which is elsewhere:
-- sealed holds what body held before, box and statistics are sealed in place.
ALTER TABLE pool_observation ADD COLUMN sealed BYTEA NOT NULL DEFAULT '';

-- Observations that ended. done is when their keys were destroyed, 0 before;
-- opened while the log entry of their batch can still be opened.
CREATE TABLE pool_deletion (
    label BYTEA PRIMARY KEY,
    ended BIGINT NOT NULL,
    done BIGINT NOT NULL,
    opened BOOLEAN NOT NULL
);
CREATE INDEX pool_deletion_done ON pool_deletion (done, label);
CREATE INDEX pool_deletion_opened ON pool_deletion (label) WHERE opened;
