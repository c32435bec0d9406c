-- Tells what VTP wrote from what somebody put into the table: a MAC whose key the table does not have. Entries of before
-- have none; the program that runs this migration seals them once it has.
ALTER TABLE audit_entries ADD COLUMN mark bytea;
