-- What became of runs, minute by minute; each node adds what it did, at most once a second.
CREATE TABLE job_minutes (
    minute timestamptz NOT NULL,
    kind text NOT NULL,
    done bigint NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (minute, kind)
) WITH (fillfactor = 50);

-- Kinds of which no job is claimed. Read by every claim, so that no node has to be told.
CREATE TABLE paused_job_kinds (
    kind text PRIMARY KEY,
    paused_at timestamptz NOT NULL
);

-- Of each kind how many wait, and how old the oldest is, without touching those between; a job that is ready is in no more
-- indexes than before. That run_at is not null, which it never is, has to be said by who wants this index: claims do not,
-- and are not planned with it.
CREATE INDEX jobs_waiting ON jobs (kind, state, run_at) WHERE state <> 'running' AND run_at IS NOT NULL;
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled';
DROP INDEX jobs_time;

CREATE INDEX dead_jobs_of_kind ON dead_jobs (kind, id);

-- Whether deliveries wait because it failed too much, of the state, so that operators can list them.
ALTER TABLE webhook_health ADD COLUMN is_paused boolean NOT NULL GENERATED ALWAYS AS (coalesce(state ->> 'State', '0') <> '0') STORED;
