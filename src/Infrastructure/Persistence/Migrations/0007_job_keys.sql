-- Of a unique key one job waits and one runs: what is asked for during a run begins when that run has ended.
DROP INDEX jobs_unique;
CREATE UNIQUE INDEX jobs_unique ON jobs (kind, lane, unique_key) WHERE unique_key IS NOT NULL AND state <> 'running';
DROP INDEX jobs_running;
CREATE INDEX jobs_running ON jobs (kind, lane, unique_key) WHERE state = 'running';

-- One that waits already is asked for once more, perhaps sooner. Nothing else writes a job's time.
CREATE FUNCTION jobs_wake_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('vtp_jobs', '');
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_wake_now AFTER UPDATE OF run_at ON jobs FOR EACH ROW WHEN (NEW.state = 'ready') EXECUTE FUNCTION jobs_wake_now();
