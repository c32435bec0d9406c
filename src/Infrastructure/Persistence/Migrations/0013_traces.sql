-- Where in its trace (W3C Trace Context) the work was asked for, so that what comes of it is found below it.
ALTER TABLE jobs ADD COLUMN traceparent text;
ALTER TABLE dead_jobs ADD COLUMN traceparent text;
ALTER TABLE events ADD COLUMN traceparent text;
ALTER TABLE webhook_deliveries ADD COLUMN traceparent text;
