-- The file tracker. Nodes answer from memory; these tables are what they load at start and learn of each other.

-- One row: how many batches were written, and the last id that was given. Who writes a batch takes the turn by changing
-- this row, so that batches are one after the other on all nodes, and "everything behind version N" misses nothing.
CREATE TABLE tracker_journal (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    version bigint NOT NULL,
    last_id bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO tracker_journal (version, last_id) VALUES (0, 0);

-- The batch that follows version $1, or none: another node wrote since, and what this one decided may be wrong.
CREATE FUNCTION tracker_take_turn(expected bigint, given bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tracker_journal SET version = expected + 1, last_id = given WHERE version = expected;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another node wrote since version %', expected USING ERRCODE = 'VT001';
    END IF;
END $$;

-- A peer that was silent is removed, and its name stays known, so that its next heartbeat brings it back; one that left
-- is forgotten. version: of the batch that changed it last; cleared: of the one that took all its files from it.
CREATE TABLE tracker_peers (
    id bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    peer_id text NOT NULL,
    hostname text,
    credential uuid,
    address inet NOT NULL,
    port integer NOT NULL,
    origin inet NOT NULL,
    registered_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    is_online boolean NOT NULL,
    bytes_uploaded bigint NOT NULL,
    bytes_downloaded bigint NOT NULL,
    removed_at timestamptz,
    forgotten_at timestamptz,
    cleared bigint NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX tracker_peers_name ON tracker_peers (project_id, peer_id) WHERE forgotten_at IS NULL;
CREATE INDEX tracker_peers_version ON tracker_peers (version);
CREATE INDEX tracker_peers_forgotten ON tracker_peers (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- digests: SHA-256 of each chunk, 32 bytes each; fingerprint: of all of them, by which two manifests are told apart.
-- seeded_at: about when somebody had it last; within hours, for it counts days.
CREATE TABLE tracker_files (
    id bigint PRIMARY KEY,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    chunk_size integer NOT NULL,
    digests bytea NOT NULL,
    fingerprint bytea NOT NULL,
    merkle_root bytea,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    seeded_at timestamptz NOT NULL,
    forgotten_at timestamptz,
    version bigint NOT NULL
);
-- Digests are random: compressing them is work for nothing.
ALTER TABLE tracker_files ALTER COLUMN digests SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX tracker_files_hash ON tracker_files (project_id, hash) WHERE forgotten_at IS NULL;
CREATE INDEX tracker_files_version ON tracker_files (version);
CREATE INDEX tracker_files_forgotten ON tracker_files (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- Which peer has which file. A row goes with its peer or its file.
CREATE TABLE tracker_members (
    peer bigint NOT NULL,
    file bigint NOT NULL,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (peer, file)
);
CREATE INDEX tracker_members_version ON tracker_members (version);

-- Not by foreign keys, which would look each row's project up.
CREATE FUNCTION projects_take_swarms_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tracker_members WHERE project_id = OLD.id;
    DELETE FROM tracker_files WHERE project_id = OLD.id;
    DELETE FROM tracker_peers WHERE project_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER projects_take_swarms_along AFTER DELETE ON projects FOR EACH ROW EXECUTE FUNCTION projects_take_swarms_along();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tracker_peers', 'tracker_files', 'tracker_members']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR (organization_id = ANY ((SELECT vtp_tenants())::uuid[])'
            ' AND ((SELECT vtp_project()) IS NULL OR project_id = (SELECT vtp_project()))))',
            name);
    END LOOP;
END $$;
