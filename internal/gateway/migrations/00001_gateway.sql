-- +goose Up
-- Law data that was in use here, by the digest of its text.
CREATE TABLE gateway_law (
    digest TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    review TEXT NOT NULL,
    signers TEXT NOT NULL,
    effective_from TEXT NOT NULL,
    effective_to TEXT NOT NULL,
    body TEXT NOT NULL,
    first_used BIGINT NOT NULL,
    last_used BIGINT NOT NULL
);

-- A request is the truth about what was asked; body holds its draft, card the
-- answer that was shown last, decision what the officer said.
CREATE TABLE gateway_request (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL,
    author TEXT NOT NULL,
    edit BIGINT NOT NULL,
    body TEXT NOT NULL,
    card TEXT NOT NULL,
    decision TEXT NOT NULL,
    done TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'refused', 'void', 'withdrawn')),
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
CREATE INDEX gateway_request_org ON gateway_request (organisation, created);
CREATE INDEX gateway_request_state ON gateway_request (state);

-- What happened to a request, in order.
CREATE TABLE gateway_event (
    request TEXT NOT NULL REFERENCES gateway_request (id),
    place BIGINT NOT NULL,
    happened BIGINT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (request, place)
);

-- Every flow that went, with the decision that it rests on.
CREATE TABLE gateway_flow (
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    decision TEXT NOT NULL,
    route TEXT NOT NULL,
    digest TEXT NOT NULL,
    who TEXT NOT NULL,
    recipient TEXT NOT NULL,
    happened BIGINT NOT NULL,
    ticket TEXT NOT NULL,
    PRIMARY KEY (kind, ref, happened)
);
CREATE INDEX gateway_flow_decision ON gateway_flow (decision);

-- The register. Edits are kept, so that one can be undone.
CREATE TABLE gateway_barrier (
    id TEXT PRIMARY KEY,
    edit BIGINT NOT NULL,
    body TEXT NOT NULL,
    removed BOOLEAN NOT NULL
);
CREATE TABLE gateway_barrier_edit (
    barrier TEXT NOT NULL REFERENCES gateway_barrier (id),
    edit BIGINT NOT NULL,
    body TEXT NOT NULL,
    removed BOOLEAN NOT NULL,
    who TEXT NOT NULL,
    happened BIGINT NOT NULL,
    PRIMARY KEY (barrier, edit)
);

-- One case that a barrier stopped or slowed: why and for how many days, nothing
-- of the case itself. origin names the answer by a digest, so that one is
-- counted once.
CREATE TABLE gateway_case (
    barrier TEXT NOT NULL REFERENCES gateway_barrier (id),
    origin TEXT NOT NULL,
    organisation TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('no_route', 'ask_counsel', 'missed_deadline')),
    days BIGINT NOT NULL CHECK (days >= 0),
    month TEXT NOT NULL,
    PRIMARY KEY (barrier, origin)
);
