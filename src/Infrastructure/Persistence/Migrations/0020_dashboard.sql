-- What administrators tell those who watch dashboards: of one organization, or of the installation where there is none.
CREATE TABLE dashboard_alerts (
    id uuid PRIMARY KEY,
    organization_id uuid REFERENCES organizations ON DELETE CASCADE,
    level text NOT NULL CHECK (level IN ('info', 'warning', 'error', 'critical')),
    message text NOT NULL,
    origin text NOT NULL,
    metadata jsonb,
    triggered_by uuid,
    created_at timestamptz NOT NULL
);
CREATE INDEX dashboard_alerts_of_organization ON dashboard_alerts (organization_id, id DESC);
CREATE INDEX dashboard_alerts_created ON dashboard_alerts (created_at);

ALTER TABLE dashboard_alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON dashboard_alerts USING ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]));

-- Who has shown an access token lately, for some minutes. A crash of PostgreSQL empties it, and a quarter of an hour fills it.
CREATE UNLOGGED TABLE account_activity (
    account_id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- When the numbers of a dashboard were told last, by whichever node; the nil UUID stands for the installation's.
CREATE UNLOGGED TABLE dashboard_ticks (
    scope uuid PRIMARY KEY,
    told_at timestamptz NOT NULL
) WITH (fillfactor = 50);
