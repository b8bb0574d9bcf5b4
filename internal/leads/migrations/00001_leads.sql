-- +goose Up
CREATE TABLE leads_lead (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('ready', 'requested', 'released', 'closed')),
    labels TEXT NOT NULL,
    conditions TEXT NOT NULL,
    playbook TEXT NOT NULL,
    ready BIGINT NOT NULL
);
CREATE INDEX leads_lead_state ON leads_lead (state);

CREATE TABLE leads_opening (
    id TEXT PRIMARY KEY,
    lead TEXT NOT NULL REFERENCES leads_lead (id),
    digest BYTEA NOT NULL UNIQUE,
    request TEXT NOT NULL,
    items TEXT NOT NULL,
    approvals TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'logged', 'released', 'closed')),
    reason TEXT NOT NULL,
    ticket TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX leads_opening_state ON leads_opening (state);

CREATE TABLE leads_holder (
    opening TEXT NOT NULL REFERENCES leads_opening (id),
    place BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    partials TEXT NOT NULL,
    PRIMARY KEY (opening, place)
);
