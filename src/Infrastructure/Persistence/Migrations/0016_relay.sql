-- Which node each peer of the relay is connected to, and what nodes say to each other where there is no Redis. All of it is of this
-- moment: nothing is logged, a crash of PostgreSQL empties it, and the nodes write anew what they hold. None of it is a tenant's
-- data: what belongs to whom was decided before it came here.
CREATE UNLOGGED TABLE relay_nodes (
    id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE UNLOGGED TABLE relay_links (
    project_id uuid NOT NULL,
    peer_id text NOT NULL,
    node_id uuid NOT NULL REFERENCES relay_nodes ON DELETE CASCADE,
    link_id uuid NOT NULL,
    PRIMARY KEY (project_id, peer_id)
);
CREATE INDEX relay_links_node ON relay_links (node_id);

-- Files' chunks in base64 would be compressed for nothing.
CREATE UNLOGGED TABLE relay_frames (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    node_id uuid NOT NULL REFERENCES relay_nodes ON DELETE CASCADE,
    body bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE relay_frames ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX relay_frames_node ON relay_frames (node_id, id);
