-- +goose Up
-- An act about statistics: its exact bytes, who approved it, how far it is.
-- state is proposed, approved, done, refused or lapsed.
CREATE TABLE acts_act (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL,
    approvals TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'done', 'refused', 'lapsed')),
    reason TEXT NOT NULL,
    ticket TEXT NOT NULL,
    proposed BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX acts_act_state ON acts_act (state, proposed);
