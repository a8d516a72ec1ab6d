-- A table has one writing service; the ledger is insert only even for its writer.

GRANT USAGE ON SCHEMA core, risk, reporting TO ingest_writer, scoring_writer, mart_writer, analytics_reader;
GRANT USAGE ON SCHEMA reporting TO grafana_ro;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core TO ingest_writer;
REVOKE UPDATE, DELETE, TRUNCATE ON core.event FROM ingest_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA core TO scoring_writer, mart_writer, analytics_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA risk TO scoring_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA risk TO mart_writer, analytics_reader;
GRANT UPDATE (state, assignee, acknowledged_by, acknowledged_at, acknowledge_note, useful)
    ON risk.alert_episode TO analytics_reader;

ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mart_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO analytics_reader;
