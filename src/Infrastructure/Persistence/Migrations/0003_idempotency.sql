-- Answers to requests that came with an Idempotency-Key. Encrypted, as is the fingerprint, which covers what was sent.
CREATE TABLE idempotency_keys (
    key_hash bytea PRIMARY KEY,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    answered_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_answered_at ON idempotency_keys (answered_at);
