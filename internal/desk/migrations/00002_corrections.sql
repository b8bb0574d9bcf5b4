-- +goose Up
-- A correction of something that this desk has read or may read, as it was
-- signed, with who was told of it.
CREATE TABLE desk_correction (
    id     BYTEA PRIMARY KEY,
    taken  BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
-- To whom an opened lead was passed on, by opening.
CREATE TABLE desk_referral (
    id      BYTEA PRIMARY KEY,
    opening BYTEA NOT NULL,
    sealed  BYTEA NOT NULL
);
CREATE INDEX desk_referral_opening ON desk_referral (opening);
