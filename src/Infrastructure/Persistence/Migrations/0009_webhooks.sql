CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    url text NOT NULL,
    description text,
    event_types text[] NOT NULL,
    payload text NOT NULL,
    ordering text NOT NULL,
    signs_body boolean NOT NULL,
    signs_asymmetrically boolean NOT NULL,
    retry_seconds integer[],
    is_enabled boolean NOT NULL,
    is_of_project boolean NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_of_project ON webhook_endpoints (project_id, id DESC);
-- The one that the project's own webhook_url stands for.
CREATE UNIQUE INDEX webhook_endpoints_is_of_project ON webhook_endpoints (project_id) WHERE is_of_project;

-- What deliveries are signed with. All that have not expired sign, so that a receiver may change over when it likes.
CREATE TABLE webhook_secrets (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    kind text NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX webhook_secrets_of_endpoint ON webhook_secrets (endpoint_id);
CREATE INDEX webhook_secrets_expires_at ON webhook_secrets (expires_at) WHERE expires_at IS NOT NULL;

-- Beside the endpoint, for it changes with every delivery, and those who edit the endpoint must not lose to that.
CREATE TABLE webhook_health (
    endpoint_id uuid PRIMARY KEY REFERENCES webhook_endpoints ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    state jsonb NOT NULL,
    disabled_at timestamptz,
    last_attempt_at timestamptz,
    last_success_at timestamptz
) WITH (fillfactor = 50);

-- One event for one endpoint, until it has been delivered or given up.
CREATE TABLE webhook_deliveries (
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    subject text NOT NULL,
    -- Of the event in the log.
    position bigint NOT NULL,
    -- What is sent; the same bytes at every attempt.
    body text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    -- Of this round; a replay begins another one.
    attempts integer NOT NULL DEFAULT 0,
    earlier_attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_status integer,
    last_error text,
    created_at timestamptz NOT NULL,
    settled_at timestamptz,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (endpoint_id, subject, position) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (endpoint_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_of_project ON webhook_deliveries (project_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id);
CREATE TABLE webhook_deliveries_rest PARTITION OF webhook_deliveries DEFAULT;
ALTER TABLE webhook_deliveries_rest ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT vtp_prepare_partitions('webhook_deliveries');

-- What was sent and what came back, each time.
CREATE TABLE webhook_attempts (
    id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    -- Of the delivery, from 1.
    number integer NOT NULL,
    url text NOT NULL,
    request_headers json NOT NULL,
    outcome text NOT NULL,
    status integer,
    response_body text,
    is_truncated boolean NOT NULL,
    error text,
    duration_ms integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX webhook_attempts_of_delivery ON webhook_attempts (delivery_id);
CREATE INDEX webhook_attempts_of_endpoint ON webhook_attempts (endpoint_id, attempted_at);
CREATE TABLE webhook_attempts_rest PARTITION OF webhook_attempts DEFAULT;
ALTER TABLE webhook_attempts_rest ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT vtp_prepare_partitions('webhook_attempts');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook_endpoints', 'webhook_secrets', 'webhook_health', 'webhook_deliveries', 'webhook_attempts']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR (organization_id = ANY ((SELECT vtp_tenants())::uuid[])'
            ' AND ((SELECT vtp_project()) IS NULL OR project_id = (SELECT vtp_project()))))', name);
    END LOOP;
END $$;
