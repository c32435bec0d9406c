-- Accounts. Several may claim one address; only one may own it.
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    full_name text NOT NULL,
    phone text,
    locale text NOT NULL,
    role text NOT NULL CHECK (role IN ('student', 'teacher', 'admin')),
    password_hash text,
    password_changed_at timestamptz,
    email_verified_at timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX accounts_email ON accounts (email);
CREATE UNIQUE INDEX accounts_email_owner ON accounts (email) WHERE email_verified_at IS NOT NULL;
CREATE INDEX accounts_administrators ON accounts (id) WHERE role = 'admin';

-- Sessions: families of refresh tokens, none of which is stored.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    refresh_key bytea NOT NULL,
    refresh_counter integer NOT NULL,
    recent_rotations timestamptz[] NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    methods text[] NOT NULL,
    ip_address text,
    user_agent text,
    ended_at timestamptz,
    end_reason text,
    end_recorded_at timestamptz
);
CREATE INDEX sessions_account_open ON sessions (account_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_end_recorded_at ON sessions (end_recorded_at) WHERE end_recorded_at IS NOT NULL;

-- Every node reads which sessions ended lately. By the database's clock, so that a node whose own is wrong misses none.
CREATE FUNCTION record_session_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.end_recorded_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_record_end BEFORE UPDATE ON sessions
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION record_session_end();

-- The second factor, in a row of its own, so that checking a code locks nothing else.
CREATE TABLE second_factors (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    secret bytea NOT NULL,
    enabled_at timestamptz,
    last_step bigint NOT NULL,
    failures integer NOT NULL,
    locked_until timestamptz,
    backup_code_hashes text[] NOT NULL,
    backup_codes_created_at timestamptz
);

CREATE TABLE sign_in_challenges (
    token_hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    first_method text NOT NULL,
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL
);
CREATE INDEX sign_in_challenges_account ON sign_in_challenges (account_id);
CREATE INDEX sign_in_challenges_expires_at ON sign_in_challenges (expires_at);

-- What is mailed: one of each kind per account, so that a newer one replaces the older.
CREATE TABLE email_codes (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL
);

CREATE TABLE password_reset_tokens (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ip_address text,
    user_agent text
);

CREATE TABLE email_verification_tokens (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL
);

CREATE TABLE setup_links (
    token_hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- What an account's owner is shown of its security.
CREATE TABLE security_events (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    type text NOT NULL,
    ip_address text,
    user_agent text,
    created_at timestamptz NOT NULL
);
CREATE INDEX security_events_account ON security_events (account_id, id DESC);

-- Mail to be sent. Holds no secret: tokens are made by the sender.
CREATE TABLE emails (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    recipient text NOT NULL,
    account_id uuid,
    ip_address text,
    user_agent text,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    settled_at timestamptz,
    failure text
);
CREATE INDEX emails_due ON emails (next_attempt_at) WHERE settled_at IS NULL;

-- The trail: no foreign keys, because it outlives what it speaks of.
CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    action text NOT NULL,
    outcome text NOT NULL,
    reason text,
    actor_id uuid,
    target_id uuid,
    ip_address text,
    user_agent text,
    trace_id text,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX audit_entries_occurred_at ON audit_entries (occurred_at DESC);

-- Keys. The private halves are sealed with Data Protection.
CREATE TABLE data_protection_keys (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    xml text NOT NULL
);

CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    private_key bytea NOT NULL,
    signs_from timestamptz NOT NULL
);
