-- +goose Up
-- The privacy budget that was spent, in order; it only grows.
CREATE TABLE baseline_ledger (
    place BIGINT PRIMARY KEY,
    quarter BIGINT NOT NULL,
    name TEXT NOT NULL,
    epsilon BIGINT NOT NULL,
    act TEXT NOT NULL,
    UNIQUE (quarter, name)
);
-- Noised counts of one quarter: drawn once, as the hub signed them.
CREATE TABLE baseline_counts (
    act TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    quarter TEXT NOT NULL,
    body TEXT NOT NULL,
    made BIGINT NOT NULL,
    UNIQUE (class, quarter)
);
