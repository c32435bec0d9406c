-- Archives that are made in the background, and kept for a week.
CREATE TABLE archive_exports (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- Null for the whole organization.
    project_id uuid REFERENCES projects ON DELETE CASCADE,
    requested_by uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'ready', 'failed')),
    bytes bigint,
    sha256 text,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX archive_exports_of_organization ON archive_exports (organization_id, id DESC);
CREATE INDEX archive_exports_of_project ON archive_exports (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX archive_exports_expires_at ON archive_exports (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX archive_exports_unfinished ON archive_exports (id) WHERE state IN ('queued', 'running');

-- What is in them, in the database, so that any node can serve what another one has made. All but the last of an archive
-- have 256 KiB.
CREATE TABLE archive_export_chunks (
    export_id uuid NOT NULL REFERENCES archive_exports ON DELETE CASCADE,
    -- From 0.
    number integer NOT NULL,
    organization_id uuid NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (export_id, number)
);
-- A ZIP does not shrink a second time.
ALTER TABLE archive_export_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

ALTER TABLE archive_exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON archive_exports USING ((SELECT vtp_is_system()) OR (organization_id = ANY ((SELECT vtp_tenants())::uuid[])
    AND ((SELECT vtp_project()) IS NULL OR project_id = (SELECT vtp_project()))));

-- A chunk belongs where its export does, which is looked up by the policy above.
ALTER TABLE archive_export_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON archive_export_chunks USING ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]));
