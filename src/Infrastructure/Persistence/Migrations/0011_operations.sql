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
-- indexes than before.
CREATE INDEX jobs_waiting ON jobs (kind, state, run_at) WHERE state <> 'running';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled';
DROP INDEX jobs_time;

CREATE INDEX dead_jobs_of_kind ON dead_jobs (kind, id);
