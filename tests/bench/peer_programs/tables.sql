-- Ledger and sums as the peers keep them; a row of each loan stands there before.
CREATE TABLE ledger (
    loan_id text COLLATE "C", event_id text COLLATE "C", source text, type text, amount_minor bigint,
    effective_on date, recorded_at timestamptz, detail text, PRIMARY KEY (loan_id, event_id));
CREATE TABLE loan_sum (
    loan_id text COLLATE "C" PRIMARY KEY, paid_minor bigint, payments bigint, last_on date)
    WITH (fillfactor = 70);
CREATE TABLE position (partition integer PRIMARY KEY, next_offset bigint);
