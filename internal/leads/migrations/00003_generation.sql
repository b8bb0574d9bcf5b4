-- +goose Up
-- Partials of one generation of the key shares combine; 0 is the ceremony's.
ALTER TABLE leads_holder ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
