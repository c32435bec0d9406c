-- What each filter of the trail asks for is the beginning of an index that goes on in the order of the answer: a list reads
-- its page and nothing else, also where nothing matches. A column that a filter leaves open is asked value by value.
DROP INDEX audit_entries_action, audit_entries_target, audit_entries_refused;
CREATE INDEX audit_entries_kind ON audit_entries (organization_id, actor_type, outcome, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_action ON audit_entries (organization_id, action, actor_type, outcome, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_actor_action ON audit_entries (organization_id, actor_name, action, outcome, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_target ON audit_entries (organization_id, target_id, action, outcome, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_project ON audit_entries (project_id, action, actor_type, outcome, occurred_at DESC, id DESC)
    WHERE project_id IS NOT NULL;

-- The end of each organization's chain; the nil UUID stands for the chain of what belongs to none. Whoever seals locks its row.
CREATE TABLE audit_chains (
    organization_id uuid PRIMARY KEY,
    last_sequence bigint NOT NULL DEFAULT 0,
    last_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    checkpoint_sequence bigint NOT NULL DEFAULT 0,
    checkpoint_at timestamptz
);
CREATE INDEX audit_chains_uncovered ON audit_chains (organization_id) WHERE last_sequence > checkpoint_sequence;

-- What was signed about a chain, as JWS. Verified over and over, so never changed.
CREATE TABLE audit_checkpoints (
    organization_id uuid NOT NULL,
    sequence bigint NOT NULL,
    jws text NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, sequence)
);
CREATE TABLE audit_retentions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL,
    jws text NOT NULL,
    signed_at timestamptz NOT NULL
);
CREATE INDEX audit_retentions_organization ON audit_retentions (organization_id, id);

-- Sealed entries, counted by day and by month (UTC), by action and by actor (kind is 'action' or the type of the actor), for
-- each organization (project_id is the nil UUID) and for each project: statistics over years, and the search for an actor by a part of the name, read these and
-- what is not sealed yet.
CREATE TABLE audit_counts (
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    span text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    succeeded bigint NOT NULL,
    refused bigint NOT NULL,
    PRIMARY KEY (organization_id, project_id, span, day, kind, name)
);
CREATE INDEX audit_counts_name ON audit_counts (organization_id, project_id, kind, name) WHERE span = 'month';

-- The private half is sealed with Data Protection. What it has signed is verified for as long as anybody keeps it: no key goes.
CREATE TABLE audit_signing_keys (
    kid text PRIMARY KEY,
    private_key bytea NOT NULL,
    signs_from timestamptz NOT NULL
);

DO $$
DECLARE
    owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['audit_chains', 'audit_checkpoints', 'audit_retentions', 'audit_counts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR (organization_id = ANY ((SELECT vtp_tenants())::uuid[])%s))',
            owned,
            CASE WHEN owned = 'audit_counts' THEN ' AND ((SELECT vtp_project()) IS NULL OR project_id = (SELECT vtp_project()))' ELSE '' END);
    END LOOP;
END $$;

-- As before, without a JSON document of each row that is sealed.
CREATE OR REPLACE FUNCTION audit_entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unsealed record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.kept_until < now() THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.sequence IS NULL THEN
        unsealed := NEW;
        unsealed.sequence := OLD.sequence;
        unsealed.previous_hash := OLD.previous_hash;
        unsealed.hash := OLD.hash;
        IF unsealed IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$;

-- As before, but where the default partition has entries of that month already, they stay there until their time is over:
-- no partition could be attached beside them. It sees every organization, and leaves its caller's sight as it was.
CREATE OR REPLACE FUNCTION audit_prepare_partitions(retention_days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tenants text := coalesce(current_setting('vtp.tenants', true), '');
    month timestamp;
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_prepare_partitions'));
    PERFORM set_config('vtp.tenants', '*', true);
    FOR month IN SELECT generate_series(
        date_trunc('month', now() AT TIME ZONE 'UTC' + make_interval(days => retention_days)),
        date_trunc('month', now() AT TIME ZONE 'UTC' + make_interval(days => retention_days, months => 2)),
        interval '1 month')
    LOOP
        partition := 'audit_entries_' || to_char(month, 'YYYY_MM');
        IF to_regclass(partition) IS NULL AND NOT EXISTS (
            SELECT FROM audit_entries
            WHERE tableoid = 'audit_entries_rest'::regclass
                AND kept_until >= month AT TIME ZONE 'UTC' AND kept_until < (month + interval '1 month') AT TIME ZONE 'UTC')
        THEN
            -- Attached, not made as a partition: that would wait for, and hold up, every writer.
            EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
            EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
    PERFORM set_config('vtp.tenants', tenants, true);
END $$;
