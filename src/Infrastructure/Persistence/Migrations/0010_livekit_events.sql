-- What LiveKit told, each event once, in the order in which it came; LiveKit promises no other. It belongs to no organization yet:
-- which one a room is of is known to whoever reads this. What has been read may be deleted, but not sooner than LiveKit gives up
-- repeating itself, for the id is what a repetition is known by; by received_at it is found.
CREATE TABLE livekit_events (
    id text PRIMARY KEY,
    sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event text NOT NULL,
    room_name text,
    body jsonb NOT NULL,
    created_at timestamptz,
    received_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX livekit_events_sequence ON livekit_events (sequence);
CREATE INDEX livekit_events_room ON livekit_events (room_name, sequence) WHERE room_name IS NOT NULL;
CREATE INDEX livekit_events_received_at ON livekit_events (received_at);
