-- Weeks of a table that only grows, made ahead of time and dropped as a whole. The parent is partitioned by
-- recorded_at, which is the database's own clock, and has a default partition <parent>_rest.
CREATE FUNCTION vtp_prepare_partitions(parent regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    monday timestamptz;
    partition text;
    is_taken boolean;
    seen text := coalesce(current_setting('vtp.tenants', true), '');
BEGIN
    PERFORM set_config('vtp.tenants', '*', true);
    PERFORM pg_advisory_xact_lock(hashtext('vtp partitions'), parent::oid::integer);
    FOR monday IN SELECT generate_series(date_trunc('week', now(), 'UTC'), now() + interval '4 weeks', interval '7 days')
    LOOP
        partition := parent::text || to_char(monday AT TIME ZONE 'UTC', '_IYYY_"w"IW');
        -- What the default partition took of that week keeps its place until its time is over.
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE tableoid = %L::regclass AND recorded_at >= $1 AND recorded_at < $2)', parent, parent || '_rest')
            INTO is_taken USING monday, monday + interval '7 days';
        IF to_regclass(partition) IS NULL AND NOT is_taken THEN
            -- Attached, not made as a partition: that would wait for, and hold up, every writer.
            EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 80)', partition, parent);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, monday, monday + interval '7 days');
        END IF;
    END LOOP;
    PERFORM set_config('vtp.tenants', seen, true);
END $$;

-- Which partitions hold nothing that was recorded after this.
CREATE FUNCTION vtp_partitions_before(parent regclass, moment timestamptz) RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT child.oid::regclass FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = parent AND pg_get_expr(relpartbound, child.oid) <> 'DEFAULT'
        AND (regexp_match(pg_get_expr(relpartbound, child.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz <= moment
    ORDER BY child.oid;
$$;

-- The log of what happened. Written with the change itself; numbered afterwards, so that nobody who reads by position can
-- pass by what was committed late.
CREATE SEQUENCE events_sequence CACHE 1;
CREATE TABLE events (
    id uuid NOT NULL,
    -- In which order transactions wrote. Those that change one thing wait for each other, so of one subject it is the order of commits.
    sequence bigint NOT NULL DEFAULT nextval('events_sequence'),
    position bigint,
    type text NOT NULL,
    organization_id uuid NOT NULL,
    project_id uuid,
    subject text NOT NULL,
    data json NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    trace_id text,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX events_unplaced ON events (sequence) WHERE position IS NULL;
CREATE INDEX events_position ON events (position);
CREATE INDEX events_of_organization ON events (organization_id, position);
CREATE INDEX events_of_project ON events (project_id, position) WHERE project_id IS NOT NULL;

-- Takes what no partition is ready for, so that no change is ever refused for its event.
CREATE TABLE events_rest PARTITION OF events DEFAULT;
ALTER TABLE events_rest ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT vtp_prepare_partitions('events');

ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events
    USING ((SELECT vtp_is_system()) OR (organization_id = ANY ((SELECT vtp_tenants())::uuid[])
        AND ((SELECT vtp_project()) IS NULL OR project_id = (SELECT vtp_project()))))
    WITH CHECK ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]));

-- One row: the last position that was given, and the last one whose event is not kept any more.
CREATE TABLE event_log (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    position bigint NOT NULL,
    dropped bigint NOT NULL
);
INSERT INTO event_log (position, dropped) VALUES (0, 0);

-- How far each consumer has come. What it does with events is committed together with that.
CREATE TABLE event_consumers (
    name text PRIMARY KEY,
    position bigint NOT NULL
);
