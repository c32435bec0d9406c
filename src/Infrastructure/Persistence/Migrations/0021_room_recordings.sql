-- What was recorded of live rooms, and is being. A recording outlives its room, and so has no reference to it.
CREATE TABLE room_recordings (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    room uuid NOT NULL,
    -- What clients called the room.
    room_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('starting', 'recording', 'stopped', 'completed', 'failed')),
    -- The media server's name for it; none until it has told.
    egress_id text UNIQUE,
    -- The media server records, for all that is known here: it must be stopped when this has ended.
    runs boolean NOT NULL DEFAULT false,
    started_by uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    file text,
    size_bytes bigint,
    duration_seconds double precision,
    error text
);

-- A room is recorded once at a time.
CREATE UNIQUE INDEX room_recordings_running ON room_recordings (room) WHERE ended_at IS NULL;
CREATE INDEX room_recordings_runs ON room_recordings (id) WHERE runs;

ALTER TABLE room_recordings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON room_recordings USING ((SELECT vtp_is_system()) OR organization_id = ANY ((SELECT vtp_tenants())::uuid[]));
