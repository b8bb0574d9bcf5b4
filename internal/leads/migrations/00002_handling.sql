-- +goose Up
-- What the authority signed after an opening, step by step.
CREATE TABLE leads_step (
    opening TEXT NOT NULL REFERENCES leads_opening (id),
    number BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    signed TEXT NOT NULL,
    ticket TEXT NOT NULL,
    gateway TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (opening, number)
);

-- What goes back to one contributor. due is the release time from which it is
-- in the contributor's digest; 0 until its step is in the witnessed log.
CREATE TABLE leads_note (
    id TEXT PRIMARY KEY,
    opening TEXT NOT NULL REFERENCES leads_opening (id),
    org TEXT NOT NULL,
    ticket TEXT NOT NULL,
    signed TEXT NOT NULL,
    earliest BIGINT NOT NULL,
    due BIGINT NOT NULL
);
CREATE INDEX leads_note_org ON leads_note (org, due, id);

-- Break-glass openings: until when they must be reviewed, and the review.
CREATE TABLE leads_emergency (
    opening TEXT PRIMARY KEY REFERENCES leads_opening (id),
    released BIGINT NOT NULL,
    review_by BIGINT NOT NULL,
    review TEXT NOT NULL
);

-- The latest time that a tick has seen: no release time before it is given out.
CREATE TABLE leads_latest (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    at BIGINT NOT NULL
);
