-- Jobs that wait or run, and no others: a finished one is deleted, one that failed for good moves to dead_jobs. Rows come
-- and go quickly, so pages keep room for new versions, and vacuum comes often and does not pause.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    organization_id uuid,
    project_id uuid,
    -- Whose turn it is: tenants are served in turn, and so is the installation's own work.
    lane uuid NOT NULL GENERATED ALWAYS AS (coalesce(organization_id, '00000000-0000-0000-0000-000000000000')) STORED,
    payload json NOT NULL,
    unique_key text,
    priority smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('scheduled', 'ready', 'running')),
    run_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    -- Grows with each claim, and fences off a node that has lost the job: it names a claim that is over.
    claims integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    errors jsonb[] NOT NULL DEFAULT '{}',
    actor_type text NOT NULL,
    actor_id uuid,
    trace_id text,
    enqueued_at timestamptz NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2);

-- Lanes are walked, and the first of each lane found, without touching the jobs behind it.
CREATE INDEX jobs_ready ON jobs (kind, lane, priority, run_at, id) WHERE state = 'ready';
-- What has become due, and how old the oldest is that waits.
CREATE INDEX jobs_time ON jobs (state, run_at) WHERE state <> 'running';
-- Without leased_until, so that renewing a lease touches no index.
CREATE INDEX jobs_running ON jobs (kind, lane) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_unique ON jobs (kind, lane, unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE dead_jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    organization_id uuid,
    project_id uuid,
    payload json NOT NULL,
    unique_key text,
    priority smallint NOT NULL,
    attempts integer NOT NULL,
    max_attempts integer NOT NULL,
    errors jsonb[] NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    trace_id text,
    enqueued_at timestamptz NOT NULL,
    died_at timestamptz NOT NULL
);
CREATE INDEX dead_jobs_died_at ON dead_jobs (died_at DESC, id DESC);

-- Heard by every node when, and only if, the transaction commits. Once a statement, however many jobs it brings.
CREATE FUNCTION jobs_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added WHERE state = 'ready') THEN
        PERFORM pg_notify('vtp_jobs', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_wake AFTER INSERT ON jobs REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION jobs_wake();

-- What failed, when and how; the last ten times, so that a row has an end.
CREATE FUNCTION jobs_add_error(errors jsonb[], attempt integer, at timestamptz, type text, message text) RETURNS jsonb[] LANGUAGE sql STABLE
    RETURN (errors || jsonb_build_object('attempt', attempt, 'at', to_jsonb(at), 'type', type, 'message', message))[cardinality(errors) - 8:];

-- Whoever works for a tenant sees that tenant's jobs, and may leave work for the installation itself.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['jobs', 'dead_jobs']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[])) '
            'WITH CHECK (organization_id IS NULL OR (SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]))', name);
    END LOOP;
END $$;
