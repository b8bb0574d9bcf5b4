-- +goose Up
-- What governance signed about an organisation, newest version. The manifest
-- stays the truth about machines; this is what people need.
CREATE TABLE identity_organisation (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    received BIGINT NOT NULL
);
-- Every signed act about an organisation, by the hash of its body.
CREATE TABLE identity_act (
    digest BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('accredit', 'suspend', 'resume')),
    reason TEXT NOT NULL,
    body TEXT NOT NULL,
    ticket TEXT NOT NULL,
    received BIGINT NOT NULL
);
CREATE INDEX identity_act_organisation ON identity_act (organisation, received);

-- A person of one organisation. A removed person keeps its id, which the log
-- names, and nothing else.
CREATE TABLE identity_person (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'suspended', 'removed')),
    handle BYTEA NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX identity_person_organisation ON identity_person (organisation, created);
CREATE TABLE identity_role (
    person TEXT NOT NULL REFERENCES identity_person (id),
    role TEXT NOT NULL,
    PRIMARY KEY (person, role)
);

-- How a person signs in: one account at a provider, by (issuer, subject), or
-- passkeys. Never an e-mail address.
CREATE TABLE identity_login (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL UNIQUE REFERENCES identity_person (id),
    created BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE TABLE identity_passkey (
    id TEXT PRIMARY KEY,
    credential BYTEA NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES identity_person (id),
    label TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX identity_passkey_person ON identity_passkey (person);

-- A one-time code for one person, by its hash.
CREATE TABLE identity_invitation (
    code BYTEA PRIMARY KEY,
    person TEXT NOT NULL REFERENCES identity_person (id),
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX identity_invitation_person ON identity_invitation (person);

-- Sessions by the hash of their token.
CREATE TABLE identity_session (
    token TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES identity_person (id),
    body BYTEA NOT NULL,
    device TEXT NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    confirmed BIGINT NOT NULL
);
CREATE INDEX identity_session_person ON identity_session (person);
CREATE INDEX identity_session_seen ON identity_session (seen);

-- A sign-in under way, by the hash of its one-time value. It is deleted when
-- it is used.
CREATE TABLE identity_flow (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX identity_flow_expires ON identity_flow (expires);

-- Keys of programs that read what is open, by their hash.
CREATE TABLE identity_key (
    id TEXT PRIMARY KEY,
    secret BYTEA NOT NULL UNIQUE,
    organisation TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES identity_person (id),
    label TEXT NOT NULL,
    reads TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX identity_key_organisation ON identity_key (organisation, created);
