-- +goose Up
-- An intervention as two people registered it; its id is that of the act.
CREATE TABLE displacement_intervention (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    day TEXT NOT NULL,
    registered BIGINT NOT NULL
);
CREATE INDEX displacement_intervention_day ON displacement_intervention (day, id);
-- What was measured so many weeks after; only figures that pass thresholds.
CREATE TABLE displacement_evaluation (
    intervention TEXT NOT NULL REFERENCES displacement_intervention (id),
    weeks BIGINT NOT NULL,
    body TEXT NOT NULL,
    made BIGINT NOT NULL,
    PRIMARY KEY (intervention, weeks)
);
-- A neighbour that moved in the first fortnight; told once.
CREATE TABLE displacement_alert (
    intervention TEXT NOT NULL REFERENCES displacement_intervention (id),
    venue TEXT NOT NULL,
    made BIGINT NOT NULL,
    PRIMARY KEY (intervention, venue)
);
-- When the first fortnight was last looked at.
CREATE TABLE displacement_look (
    intervention TEXT PRIMARY KEY REFERENCES displacement_intervention (id),
    looked BIGINT NOT NULL
);
-- What somebody noted beside a series.
CREATE TABLE displacement_note (
    id TEXT PRIMARY KEY,
    intervention TEXT NOT NULL REFERENCES displacement_intervention (id),
    day TEXT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    ticket TEXT NOT NULL,
    made BIGINT NOT NULL
);
CREATE INDEX displacement_note_intervention ON displacement_note (intervention, day);
