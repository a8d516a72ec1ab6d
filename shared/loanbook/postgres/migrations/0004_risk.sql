-- Scores, their history, alert episodes and deliveries: written by scoring.

-- The bands as the running model draws them: boards, rules and alerts read the edges here.
CREATE TABLE risk.band (
    band smallint PRIMARY KEY,
    name text NOT NULL,
    score_min smallint NOT NULL                     -- the lowest risk_score of the band
);

-- Every model that has scored, with what it assumes.
CREATE TABLE risk.model (
    model text COLLATE "C" PRIMARY KEY,
    basis text NOT NULL,
    loss_given_default real NOT NULL,
    assumptions jsonb NOT NULL,                     -- label, priors, reference and book odds, by kind of loan
    first_used_at timestamptz NOT NULL DEFAULT now()
);

-- Until the scores of a book have caught up (first import, replay, another model) its episodes open in silence.
CREATE TABLE risk.watch (
    book_key smallint PRIMARY KEY,
    model text NOT NULL,
    caught_up_at timestamptz,                       -- null: silent
    watched_since timestamptz NOT NULL DEFAULT now()
);

-- Active loans only: a loan that ends leaves this table, its history stays.
CREATE TABLE risk.score (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    book_key smallint NOT NULL,
    branch_key integer NOT NULL,
    state_version bigint NOT NULL,
    as_of date NOT NULL,
    model text COLLATE "C" NOT NULL,
    basis text NOT NULL,                            -- rule (already bad), rules, counts, scorecard, challenger
    default_probability double precision NOT NULL,
    risk_score smallint NOT NULL,                   -- 0 to 100, high is bad
    band smallint NOT NULL,                         -- 0 LOW, 1 WATCH, 2 HIGH, 3 CRITICAL
    stage smallint NOT NULL,                        -- IFRS 9
    strategy text NOT NULL,
    strategy_reason text NOT NULL DEFAULT '',
    exposure_minor bigint NOT NULL,
    expected_loss_minor bigint NOT NULL,            -- an estimate
    reasons jsonb NOT NULL,                         -- [{code, points, text}], the heaviest first, at most 4
    changes jsonb NOT NULL DEFAULT '[]',            -- [{code, points, text, on}]: what moved the score last
    contributions jsonb NOT NULL DEFAULT '{}',      -- points of risk_score by feature, without the zeros
    recorded_probability double precision,          -- of the latest history row
    recorded_on date,
    scored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (slice, loan_key)
) PARTITION BY LIST (slice);

CREATE INDEX score_worst ON risk.score (book_key, branch_key, expected_loss_minor DESC) WHERE band >= 2;

CREATE TABLE risk.score_history (
    slice smallint NOT NULL,
    loan_key bigint NOT NULL,
    state_version bigint NOT NULL,
    as_of date NOT NULL,
    model text NOT NULL,
    default_probability double precision NOT NULL,
    risk_score smallint NOT NULL,
    band smallint NOT NULL,
    features real[] NOT NULL,
    scored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (slice, loan_key, state_version, as_of, model)
) PARTITION BY LIST (slice);

CREATE TABLE risk.alert_episode (
    episode_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_key smallint NOT NULL,
    slice smallint,
    loan_key bigint,
    branch_key integer,
    rule text NOT NULL,
    severity smallint NOT NULL,                     -- 0 INFO (digest and boards only), 1 WATCH, 2 HIGH, 3 CRITICAL
    state text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'acknowledged', 'in_progress', 'resolved', 'withdrawn')),
    baseline boolean NOT NULL DEFAULT false,        -- opened in silence while history was loading
    opened_on date NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    escalated_at timestamptz,
    reopened_on date,                               -- the latest relapse within 7 days of the end
    leaving_since date,                             -- first business day on which the leave condition held
    closed_on date,
    closed_at timestamptz,
    close_reason text,                              -- cured, paid, restructured, written_off, withdrawn
    snapshot jsonb NOT NULL,                        -- state and reasons at the opening
    assignee text,
    acknowledged_by text,
    acknowledged_at timestamptz,
    acknowledge_note text,
    useful boolean
);
CREATE UNIQUE INDEX one_open_episode_a_loan ON risk.alert_episode (rule, slice, loan_key)
    WHERE loan_key IS NOT NULL AND state NOT IN ('resolved', 'withdrawn');
CREATE UNIQUE INDEX one_open_episode_a_branch ON risk.alert_episode (rule, book_key, branch_key)
    WHERE loan_key IS NULL AND state NOT IN ('resolved', 'withdrawn');
CREATE INDEX alert_episode_loan ON risk.alert_episode (slice, loan_key) WHERE loan_key IS NOT NULL;
CREATE INDEX alert_episode_open ON risk.alert_episode (book_key, opened_at DESC);

CREATE TABLE risk.delivery (
    delivery_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),    -- the receiver's dedupe key: the same at every attempt
    sequence bigint GENERATED ALWAYS AS IDENTITY,   -- an episode's deliveries leave in this order
    episode_id bigint REFERENCES risk.alert_episode,           -- null: a summary of a book
    endpoint text NOT NULL,                         -- webhook, or the topic
    slice smallint NOT NULL DEFAULT 0,              -- the topic's partition
    kind text NOT NULL,                             -- opened, escalated, reopened, resolved, withdrawn, baseline
    payload jsonb NOT NULL,
    due_at timestamptz NOT NULL DEFAULT now(),      -- not before; 24 h later it is given up
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    dead_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX delivery_due ON risk.delivery (next_attempt_at) WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX delivery_order ON risk.delivery (episode_id, endpoint, sequence)
    WHERE delivered_at IS NULL AND dead_at IS NULL;

DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format('CREATE TABLE risk.score_%s PARTITION OF risk.score FOR VALUES IN (%s) WITH (fillfactor = 70)', n, n);
        EXECUTE format('CREATE TABLE risk.score_history_%s PARTITION OF risk.score_history FOR VALUES IN (%s)', n, n);
    END LOOP;
END $$;
