-- Attempts to sign in that came back from the provider, so that each counts once. Kept for an hour.
CREATE TABLE sign_ins (
    state_hash bytea PRIMARY KEY,
    finished_at timestamptz NOT NULL DEFAULT now()
);
