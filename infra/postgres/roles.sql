-- The roles of Loanpulse; run it by a superuser or a role with CREATEROLE, as often as you like (PostgreSQL 16 or newer).
-- No role here has a password: one login takes the roles on (SET ROLE), so that the grants of the migrations bind
-- whatever login is used. grafana_ro may log in itself once it is given a password: ALTER ROLE grafana_ro PASSWORD ...
-- Every step looks before it writes: roles belong to the whole server, and two databases may be prepared at once.

DO $$
DECLARE
    role_name text;
    attributes text;
BEGIN
    FOR role_name, attributes IN VALUES
        ('owner',            'NOLOGIN'),   -- owns the schemas, runs the migrations
        ('ingest_writer',    'NOLOGIN'),   -- core: the ledger by INSERT only
        ('scoring_writer',   'NOLOGIN'),   -- risk
        ('mart_writer',      'NOLOGIN'),   -- reporting, by the refresh
        ('analytics_reader', 'NOLOGIN'),   -- the API: cannot write
        ('grafana_ro',       'LOGIN CONNECTION LIMIT 20')   -- views of reporting, nothing else
    LOOP
        BEGIN
            IF to_regrole(role_name) IS NULL THEN
                EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE %s', role_name, attributes);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;   -- made by the other one a moment ago
        END;
        IF NOT pg_has_role(current_user, role_name, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER WITH INHERIT FALSE, SET TRUE', role_name);
        END IF;
    END LOOP;
END
$$;

-- Whoever sees a board may send any SQL that its role can: the role is the boundary, and these keep one query from
-- holding up the rest. They take effect at login, not at SET ROLE.
DO $$
DECLARE
    wanted CONSTANT text[] := ARRAY[
        'default_transaction_read_only=on',
        'statement_timeout=5s',
        'idle_in_transaction_session_timeout=10s',
        'search_path=reporting'];
    present text[];
    setting text;
BEGIN
    SELECT s.setconfig INTO present FROM pg_db_role_setting s
    WHERE s.setrole = to_regrole('grafana_ro') AND s.setdatabase = 0;
    FOREACH setting IN ARRAY wanted LOOP
        IF present IS NULL OR NOT setting = ANY (present) THEN
            EXECUTE format('ALTER ROLE grafana_ro SET %I = %L', split_part(setting, '=', 1), split_part(setting, '=', 2));
        END IF;
    END LOOP;
END
$$;

-- This database: nobody makes schemas but the owner, and only the writers may make temporary tables.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO owner', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ingest_writer, scoring_writer, mart_writer', current_database());
END
$$;
