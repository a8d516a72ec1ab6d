-- Stream positions, dead letters, the outbox and the roll of the business day.

CREATE TABLE core.stream_position (
    cluster_id text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    slice smallint NOT NULL,
    next_offset bigint NOT NULL,
    fingerprint bytea,                              -- of the last record applied: a recreated topic is noticed
    caught_up_at timestamptz,                       -- advances while nothing waits: a quiet night is fresh
    paused_reason text,
    owner text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cluster_id, topic, partition)
);

CREATE TABLE core.dead_letter (
    slice smallint NOT NULL,
    cluster_id text NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    kafka_offset bigint NOT NULL,
    reason text NOT NULL,
    field text,
    key bytea,
    raw bytea NOT NULL,                             -- the original bytes
    first_seen timestamptz NOT NULL DEFAULT now(),
    corrected bytea,
    corrected_by text,
    approved_by text,
    replayed_at timestamptz,
    PRIMARY KEY (cluster_id, topic, partition, kafka_offset)
);

CREATE TABLE core.outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slice smallint NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    key bytea,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE core.outbox ALTER COLUMN payload SET STORAGE EXTERNAL;

-- One row a slice and business day: the barrier reached in its log, then its loans swept.
CREATE TABLE core.day_roll (
    book_key smallint NOT NULL REFERENCES core.book,
    business_on date NOT NULL,                      -- the day that closed
    slice smallint NOT NULL,
    reached_at timestamptz NOT NULL DEFAULT now(),
    loans bigint NOT NULL DEFAULT 0,
    swept_at timestamptz,                           -- all its loans stand at the next day
    PRIMARY KEY (book_key, business_on, slice)
);

CREATE TABLE core.day_flip (
    book_key smallint NOT NULL REFERENCES core.book,
    business_on date NOT NULL,                      -- the day that closed
    flipped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_key, business_on)
);

-- Daily history to restate: the sweeper behind backdated events reads it.
CREATE TABLE core.restate (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    from_on date NOT NULL,
    PRIMARY KEY (slice, loan_key)
);
