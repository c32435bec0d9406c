-- Rooms in which peers find each other (WebRTC signaling), and their places. What must be one thing on all nodes at once is here:
-- how many are in a room, whether it is locked, and who was removed. Who they are is in the nodes' presence. Rooms of the
-- installation itself have the organization of zeros, and so no reference to one.
CREATE TABLE signaling_rooms (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- What clients call it.
    name_id text NOT NULL,
    name text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- Stays when it is empty: it was made by a request, and not by whoever came first.
    is_kept boolean NOT NULL,
    is_locked boolean NOT NULL DEFAULT false,
    max_participants integer NOT NULL,
    empty_since timestamptz,
    UNIQUE (organization_id, name_id)
);

-- Nodes that give a sign of life; with one that does not go the places that it held.
CREATE TABLE signaling_nodes (
    id text PRIMARY KEY,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE signaling_places (
    room uuid NOT NULL REFERENCES signaling_rooms ON DELETE CASCADE,
    socket_id text NOT NULL,
    organization_id uuid NOT NULL,
    participant uuid NOT NULL,
    is_staff boolean NOT NULL,
    node_id text NOT NULL REFERENCES signaling_nodes ON DELETE CASCADE,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (room, socket_id)
);
CREATE INDEX signaling_places_node ON signaling_places (node_id);

-- Who was removed from a room, and is not let in until somebody readmits them.
CREATE TABLE signaling_removals (
    room uuid NOT NULL REFERENCES signaling_rooms ON DELETE CASCADE,
    participant uuid NOT NULL,
    organization_id uuid NOT NULL,
    removed_by uuid NOT NULL,
    removed_at timestamptz NOT NULL,
    PRIMARY KEY (room, participant)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['signaling_rooms', 'signaling_places', 'signaling_removals']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I USING ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]))', name);
    END LOOP;
END $$;
