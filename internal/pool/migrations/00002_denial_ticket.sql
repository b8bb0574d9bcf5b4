-- +goose Up
-- A receipt is looked up among its organisation's own rows: without this, the
-- time that it takes tells how much everybody else has withdrawn.
CREATE INDEX pool_denial_ticket ON pool_denial (org, ticket);
