-- +goose Up
-- A batch is kept when its submission is done, until no query audit asks for it
-- any more; closed is when it was done, 0 before.
ALTER TABLE desk_batch ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;
