-- Numbers of nodes that have left their bounds. The events of it are in the log, under the id that stands for no organization.
CREATE TABLE system_alerts (
    id uuid PRIMARY KEY,
    rule text NOT NULL,
    node text NOT NULL,
    threshold double precision NOT NULL,
    value double precision NOT NULL,
    raised_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL,
    resolved_at timestamptz
);

-- Of a rule at most one alert is open on a node, also when two servers take themselves for it.
CREATE UNIQUE INDEX system_alerts_open ON system_alerts (node, rule) WHERE resolved_at IS NULL;
CREATE INDEX system_alerts_resolved ON system_alerts (resolved_at) WHERE resolved_at IS NOT NULL;
