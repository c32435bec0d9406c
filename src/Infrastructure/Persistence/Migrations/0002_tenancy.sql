-- Both are trusted extensions (PostgreSQL 13 and newer): the owner of a database may create them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- unaccent() itself is only STABLE, because a dictionary can be changed; ours is named, so that an index may use it.
CREATE FUNCTION vtp_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lower(public.unaccent('public.unaccent'::regdictionary, $1));

-- Whose rows this transaction may see: vtp.tenants holds an array of organizations, or * for the server's own work;
-- unset, or empty as a pooled connection may find it, shows nothing. vtp.project narrows it to one project.
CREATE FUNCTION vtp_tenants() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN coalesce(current_setting('vtp.tenants', true), '') IN ('', '*') THEN NULL
        ELSE current_setting('vtp.tenants', true)::uuid[] END;
CREATE FUNCTION vtp_project() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('vtp.project', true), '')::uuid;
CREATE FUNCTION vtp_is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('vtp.tenants', true) = '*', false);

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    admin_email text NOT NULL,
    plan text NOT NULL,
    audit_retention_days integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    search_text text NOT NULL GENERATED ALWAYS AS (vtp_fold(name || ' ' || admin_email)) STORED
);
CREATE UNIQUE INDEX organizations_admin_email ON organizations (admin_email) WHERE deleted_at IS NULL;

CREATE TABLE members (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role text NOT NULL,
    invited_at timestamptz NOT NULL,
    joined_at timestamptz NOT NULL,
    UNIQUE (organization_id, account_id)
);
CREATE INDEX members_account ON members (account_id);

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    token_hash bytea UNIQUE,
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at timestamptz,
    closed_at timestamptz
);
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email) WHERE closed_at IS NULL;
CREATE INDEX invitations_organization ON invitations (organization_id, id DESC);

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    region text NOT NULL,
    webhook_url text,
    storage_config jsonb,
    chat_enabled boolean NOT NULL,
    video_enabled boolean NOT NULL,
    activity_feed_enabled boolean NOT NULL,
    moderation_enabled boolean NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    search_text text NOT NULL GENERATED ALWAYS AS (vtp_fold(name)) STORED
);
CREATE INDEX projects_organization ON projects (organization_id, id DESC);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    kind text NOT NULL,
    environment text NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    preview text NOT NULL,
    scopes text[] NOT NULL,
    tracker_role text NOT NULL,
    allowed_cidrs text[] NOT NULL,
    expires_at timestamptz,
    is_of_pair boolean NOT NULL,
    replaced_by uuid,
    created_by uuid,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX api_keys_project ON api_keys (project_id, id DESC);
CREATE INDEX api_keys_changed ON api_keys (changed_at);

-- Nodes keep keys in memory and read what has changed, by the database's clock: theirs may differ. A use is no change.
CREATE FUNCTION api_keys_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER api_keys_note_change BEFORE INSERT OR UPDATE OF expires_at, revoked_at, scopes, tracker_role, allowed_cidrs, name, replaced_by
    ON api_keys FOR EACH ROW EXECUTE FUNCTION api_keys_note_change();

CREATE FUNCTION projects_note_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE api_keys SET changed_at = clock_timestamp() WHERE project_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_note_keys AFTER UPDATE OF deleted_at ON projects FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION projects_note_keys();

CREATE FUNCTION organizations_note_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE api_keys SET changed_at = clock_timestamp() WHERE organization_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER organizations_note_keys AFTER UPDATE OF deleted_at, audit_retention_days ON organizations FOR EACH ROW
    WHEN ((OLD.deleted_at, OLD.audit_retention_days) IS DISTINCT FROM (NEW.deleted_at, NEW.audit_retention_days))
    EXECUTE FUNCTION organizations_note_keys();

-- People are searched like all else.
ALTER TABLE accounts ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (vtp_fold(full_name || ' ' || email)) STORED;
CREATE INDEX accounts_search ON accounts USING gin (search_text gin_trgm_ops);

ALTER TABLE emails ADD COLUMN subject_id uuid;

-- The trail, partitioned by the month until which its entries are kept: retention drops whole partitions.
ALTER TABLE audit_entries RENAME TO audit_entries_before;
ALTER INDEX audit_entries_occurred_at RENAME TO audit_entries_before_occurred_at;
ALTER INDEX audit_entries_pkey RENAME TO audit_entries_before_pkey;
CREATE TABLE audit_entries (
    id uuid NOT NULL,
    organization_id uuid,
    project_id uuid,
    action text NOT NULL,
    outcome text NOT NULL,
    reason text,
    actor_type text NOT NULL DEFAULT 'user',
    actor_id uuid,
    actor_name text,
    target_id uuid,
    target_name text,
    ip_address text,
    user_agent text,
    trace_id text,
    changes jsonb,
    occurred_at timestamptz NOT NULL,
    kept_until timestamptz NOT NULL DEFAULT now() + interval '365 days',
    sequence bigint,
    previous_hash bytea,
    hash bytea,
    PRIMARY KEY (id, kept_until)
) PARTITION BY RANGE (kept_until);
CREATE INDEX audit_entries_time ON audit_entries (organization_id, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_action ON audit_entries (organization_id, action, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_actor ON audit_entries (organization_id, actor_name, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_target ON audit_entries (organization_id, target_id, occurred_at DESC, id DESC);
CREATE INDEX audit_entries_refused ON audit_entries (organization_id, occurred_at DESC, id DESC) WHERE outcome = 'refused';
CREATE INDEX audit_entries_chain ON audit_entries (organization_id, sequence);
CREATE INDEX audit_entries_unsealed ON audit_entries (organization_id, id) WHERE sequence IS NULL;

-- Takes what no partition is ready for, so that no entry is ever refused.
CREATE TABLE audit_entries_rest PARTITION OF audit_entries DEFAULT;

-- The partitions for entries that are written in this month and the next two, and are kept for so many days.
CREATE FUNCTION audit_prepare_partitions(retention_days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamp;
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_prepare_partitions'));
    FOR month IN SELECT generate_series(
        date_trunc('month', now() AT TIME ZONE 'UTC' + make_interval(days => retention_days)),
        date_trunc('month', now() AT TIME ZONE 'UTC' + make_interval(days => retention_days, months => 2)),
        interval '1 month')
    LOOP
        partition := 'audit_entries_' || to_char(month, 'YYYY_MM');
        IF to_regclass(partition) IS NULL THEN
            -- Attached, not made as a partition: that would wait for, and hold up, every writer.
            EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
            EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                partition, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
END $$;
SELECT audit_prepare_partitions(365);

INSERT INTO audit_entries (id, action, outcome, reason, actor_type, actor_id, actor_name, target_id, ip_address, user_agent, trace_id, occurred_at, kept_until)
    SELECT entry.id, action, outcome, reason, CASE WHEN actor_id IS NULL THEN 'anonymous' ELSE 'user' END, actor_id, accounts.email, target_id,
        ip_address, user_agent, trace_id, occurred_at, occurred_at + interval '365 days'
    FROM audit_entries_before entry LEFT JOIN accounts ON accounts.id = actor_id;
DROP TABLE audit_entries_before;

-- A person's address as it was then; accounts change. A trigger, because the writer does not know it without asking.
CREATE FUNCTION audit_entries_name_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.actor_type = 'user' AND NEW.actor_name IS NULL THEN
        SELECT email INTO NEW.actor_name FROM accounts WHERE id = NEW.actor_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_entries_name_actor BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_name_actor();

-- The trail only grows: an entry is sealed into its chain once, and goes when its time is over. This stops a bug or an
-- injection; who owns the table is found out by the chain.
CREATE FUNCTION audit_entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.kept_until < now() THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.sequence IS NULL
        AND to_jsonb(OLD) - '{sequence,previous_hash,hash}'::text[] = to_jsonb(NEW) - '{sequence,previous_hash,hash}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_guard BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_guard();

-- Row-level security, forced because VTP owns its tables. The subqueries are evaluated once a statement, not once a row.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN SELECT * FROM (VALUES
        ('organizations', 'id', NULL),
        ('members', 'organization_id', NULL),
        ('invitations', 'organization_id', NULL),
        ('projects', 'organization_id', 'id'),
        ('api_keys', 'organization_id', 'project_id'),
        ('audit_entries', 'organization_id', 'project_id')) AS rules (name, organization, project)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', rule.name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR (%I = ANY ((SELECT vtp_tenants())::uuid[])%s))%s',
            rule.name, rule.organization,
            CASE WHEN rule.project IS NOT NULL
                THEN format(' AND ((SELECT vtp_project()) IS NULL OR %I = (SELECT vtp_project()))', rule.project) ELSE '' END,
            -- Anybody may leave a line in the installation's own trail; nobody but the server reads it.
            CASE WHEN rule.name = 'audit_entries' THEN
                ' WITH CHECK (organization_id IS NULL OR (SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]))' ELSE '' END);
    END LOOP;
END $$;
ALTER TABLE audit_entries_rest ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
