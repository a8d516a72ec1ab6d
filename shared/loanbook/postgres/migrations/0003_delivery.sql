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

-- How far each slice's log has come: the latest day that its day.closed markers have closed.
CREATE TABLE core.day_reached (
    book_key smallint NOT NULL REFERENCES core.book,
    slice smallint NOT NULL,
    business_on date NOT NULL,
    reached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_key, slice)
);

-- One row a slice and closed day, made by the flip: have its loans been brought to the next day?
CREATE TABLE core.day_roll (
    book_key smallint NOT NULL REFERENCES core.book,
    business_on date NOT NULL,                      -- the day that closed
    slice smallint NOT NULL,
    flipped_at timestamptz NOT NULL DEFAULT now(),
    loans bigint NOT NULL DEFAULT 0,                -- loans brought over so far
    swept_at timestamptz,                           -- null while loans of this slice wait
    PRIMARY KEY (book_key, business_on, slice)
);
CREATE INDEX day_roll_open ON core.day_roll (book_key, slice) WHERE swept_at IS NULL;

-- Daily history to restate: the sweeper behind backdated events reads it.
CREATE TABLE core.restate (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    from_on date NOT NULL,
    PRIMARY KEY (slice, loan_key)
);
