-- What operators do and see: counters that add up, runs of verify and refold, corrections by two people, the audit.

-- What became of the records of a partition, counted in the transaction that moves its position:
-- received = taken + duplicates + dead + other, and taken = applied + unapplied.
ALTER TABLE core.stream_position
    ADD COLUMN received bigint NOT NULL DEFAULT 0,
    ADD COLUMN taken bigint NOT NULL DEFAULT 0,         -- rows in the ledger, those that do not count included
    ADD COLUMN duplicates bigint NOT NULL DEFAULT 0,
    ADD COLUMN dead bigint NOT NULL DEFAULT 0,
    ADD COLUMN other bigint NOT NULL DEFAULT 0;         -- ends of days, borrowers, branches

-- What came before there were counters: repetitions left no trace and are not among the received.
UPDATE core.stream_position p
SET dead = (SELECT count(*) FROM core.dead_letter d
            WHERE d.cluster_id = p.cluster_id AND d.topic = p.topic AND d.partition = p.partition);
UPDATE core.stream_position p
SET taken = e.events
FROM (SELECT kafka_partition, count(*) AS events FROM core.event GROUP BY kafka_partition) e
WHERE p.partition = e.kafka_partition
  AND (p.cluster_id, p.topic) = (
      SELECT cluster_id, topic FROM core.stream_position latest
      WHERE latest.partition = p.partition AND latest.topic = 'loan.events.v1'
      ORDER BY latest.updated_at DESC LIMIT 1);
UPDATE core.stream_position SET received = taken + dead;

-- A correction needs two people, and only an approved one is sent again.
ALTER TABLE core.dead_letter
    ADD COLUMN corrected_at timestamptz,
    ADD COLUMN approved_at timestamptz,
    ADD CONSTRAINT dead_letter_has_author CHECK (corrected IS NULL OR corrected_by IS NOT NULL),
    ADD CONSTRAINT dead_letter_has_two_people
        CHECK (approved_by IS NULL OR (corrected IS NOT NULL AND approved_by <> corrected_by)),
    ADD CONSTRAINT dead_letter_is_approved CHECK (replayed_at IS NULL OR approved_by IS NOT NULL);

-- What people did to the stream and to its data; nobody changes it.
CREATE TABLE core.audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    done_by text NOT NULL,
    what text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);

-- One row a book and run of `loanpulse verify`, and one for the streams.
CREATE TABLE core.verification (
    run_id bigint NOT NULL,
    book_key smallint REFERENCES core.book,             -- null: the streams
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    is_complete boolean NOT NULL,                       -- every loan, not a sample
    loans bigint NOT NULL,
    differences bigint NOT NULL,
    details jsonb NOT NULL,
    UNIQUE NULLS NOT DISTINCT (run_id, book_key)
);
CREATE SEQUENCE core.verification_run;

-- Runs of `loanpulse refold`: how far each has come, so that it goes on where it stopped.
CREATE TABLE core.refold_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_key smallint NOT NULL REFERENCES core.book,
    fold_version smallint NOT NULL,
    is_check boolean NOT NULL,                          -- counts only
    last_slice smallint NOT NULL DEFAULT 0,
    last_loan_key bigint NOT NULL DEFAULT -9223372036854775808,
    loans bigint NOT NULL DEFAULT 0,
    differing bigint NOT NULL DEFAULT 0,
    outdated bigint NOT NULL DEFAULT 0,                 -- folded by other code before
    rollup_cells bigint,                                -- cells of the roll-ups that were put right
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

GRANT SELECT, INSERT ON core.audit, core.verification TO ingest_writer;
GRANT SELECT, INSERT, UPDATE ON core.refold_run TO ingest_writer;
GRANT USAGE ON SEQUENCE core.verification_run TO ingest_writer;
GRANT SELECT ON core.audit, core.verification, core.refold_run TO scoring_writer, mart_writer, analytics_reader;

CREATE VIEW reporting.verification_last AS
SELECT DISTINCT ON (v.book_key) b.book, v.run_id, v.started_at, v.finished_at, v.is_complete, v.loans, v.differences,
       v.details, greatest(extract(epoch FROM now() - v.finished_at), 0)::double precision AS age_seconds
FROM core.verification v
LEFT JOIN core.book b USING (book_key)                  -- no book: the streams
ORDER BY v.book_key, v.run_id DESC;

CREATE VIEW reporting.stream_counters AS
SELECT topic, partition, received, taken, duplicates, dead, other,
       received - taken - duplicates - dead - other AS missing
FROM core.stream_position;

REVOKE INSERT, UPDATE, DELETE ON reporting.verification_last, reporting.stream_counters FROM mart_writer;
GRANT SELECT ON reporting.verification_last, reporting.stream_counters TO grafana_ro, analytics_reader;
