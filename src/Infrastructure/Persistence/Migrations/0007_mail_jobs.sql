-- A mail is sent by a job of its own. Only servers of the version before set the time of the next attempt, and look for it.
ALTER TABLE emails ALTER COLUMN next_attempt_at DROP NOT NULL;
WITH due AS (SELECT id, next_attempt_at FROM emails WHERE settled_at IS NULL FOR UPDATE), taken AS (
    UPDATE emails SET next_attempt_at = NULL FROM due WHERE emails.id = due.id)
INSERT INTO jobs (id, kind, payload, unique_key, priority, state, run_at, max_attempts, actor_type, enqueued_at)
SELECT gen_random_uuid(), 'email.send', json_build_object('EmailId', id), id, 0, 'scheduled', greatest(now(), next_attempt_at), 30, 'system', now() FROM due;
