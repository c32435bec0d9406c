-- Tells the positions of this log from those of another database's.
ALTER TABLE event_log ADD COLUMN epoch text NOT NULL DEFAULT substr(md5(gen_random_uuid()::text), 1, 8);

-- Messages between nodes, for some minutes. Unlogged, both: what a crash takes from one it takes from the other, and what
-- comes afterwards has another epoch. No tenant's row is in them that a request could read: the server alone does.
CREATE UNLOGGED TABLE realtime_log (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    epoch text NOT NULL,
    position bigint NOT NULL
);

CREATE UNLOGGED TABLE realtime_messages (
    position bigint PRIMARY KEY,
    message bytea NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX realtime_messages_recorded ON realtime_messages (recorded_at);

-- What a connection followed, so that it can go on on another node. By the SHA-256 of a secret that its client holds.
CREATE UNLOGGED TABLE realtime_sessions (
    secret_hash bytea PRIMARY KEY,
    owner text NOT NULL,
    namespace text NOT NULL,
    sid text NOT NULL,
    topics json NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX realtime_sessions_seen ON realtime_sessions (seen_at);

-- One-use secrets that stand in an address. By their SHA-256.
CREATE TABLE realtime_tickets (
    secret_hash bytea PRIMARY KEY,
    account_id uuid,
    session_id uuid,
    role text,
    authenticated_at timestamptz,
    key_hash bytea,
    expires_at timestamptz NOT NULL
);
CREATE INDEX realtime_tickets_expired ON realtime_tickets (expires_at);
