-- +goose Up
-- A member's own receipts are listed by when they came.
CREATE INDEX pool_batch_sent ON pool_batch (org, received, ticket);
CREATE INDEX pool_denial_sent ON pool_denial (org, received, ticket);
CREATE INDEX pool_observation_batch ON pool_observation (org, root);
