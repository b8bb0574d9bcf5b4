-- +goose Up
CREATE TABLE pool_batch (
    org TEXT NOT NULL,
    root BYTEA NOT NULL,
    sig BYTEA NOT NULL,
    ticket TEXT NOT NULL,
    receipt TEXT NOT NULL,
    received BIGINT NOT NULL,
    logged BIGINT NOT NULL,
    PRIMARY KEY (org, root)
);
CREATE INDEX pool_batch_logged ON pool_batch (logged);
CREATE INDEX pool_batch_ticket ON pool_batch (ticket);

-- What a batch's signature covers of each observation: label and encapsulation.
CREATE TABLE pool_batch_leaf (
    org TEXT NOT NULL,
    root BYTEA NOT NULL,
    place BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (org, root, place)
);

-- An observation is the truth; state is live, withdrawn or expired.
CREATE TABLE pool_observation (
    label BYTEA PRIMARY KEY,
    org TEXT NOT NULL,
    root BYTEA NOT NULL,
    place BIGINT NOT NULL,
    body TEXT NOT NULL,
    box BYTEA NOT NULL,
    statistics BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'withdrawn', 'expired')),
    expires BIGINT NOT NULL
);
CREATE INDEX pool_observation_expires ON pool_observation (state, expires);

CREATE TABLE pool_obs_tag (
    tag BYTEA NOT NULL,
    label BYTEA NOT NULL,
    org TEXT NOT NULL,
    person BOOLEAN NOT NULL,
    weight BIGINT NOT NULL,
    week TEXT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (tag, label)
);
CREATE INDEX pool_obs_tag_label ON pool_obs_tag (label);
CREATE INDEX pool_obs_tag_expires ON pool_obs_tag (expires);

-- Tags that changed since the linking job last ran.
CREATE TABLE pool_touched (
    tag BYTEA NOT NULL,
    label BYTEA NOT NULL,
    PRIMARY KEY (tag, label)
);

-- Everything below is derived; only the linking job writes it.
CREATE TABLE pool_contrib (
    tag BYTEA NOT NULL,
    org TEXT NOT NULL,
    weight BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    first_week TEXT NOT NULL,
    last_week TEXT NOT NULL,
    key_epoch TEXT NOT NULL,
    PRIMARY KEY (tag, org)
);
CREATE TABLE pool_token_sum (
    tag BYTEA PRIMARY KEY,
    orgs BIGINT NOT NULL,
    observations BIGINT NOT NULL,
    score BIGINT NOT NULL
);
CREATE INDEX pool_token_sum_score ON pool_token_sum (score);
CREATE TABLE pool_cluster (
    label BYTEA PRIMARY KEY,
    cluster BYTEA NOT NULL
);
CREATE INDEX pool_cluster_cluster ON pool_cluster (cluster);

-- Labels that their organisation withdrew, seen here or not.
CREATE TABLE pool_withdrawn (
    org TEXT NOT NULL,
    label BYTEA NOT NULL,
    PRIMARY KEY (org, label)
);

-- Signed denials, kept as they came.
CREATE TABLE pool_denial (
    digest BYTEA PRIMARY KEY,
    org TEXT NOT NULL,
    ticket TEXT NOT NULL,
    body TEXT NOT NULL,
    receipt TEXT NOT NULL,
    received BIGINT NOT NULL
);
