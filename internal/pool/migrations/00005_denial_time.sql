-- +goose Up
-- What was taken since a time is carried on to whom it concerns.
CREATE INDEX pool_denial_received ON pool_denial (received, digest);
