-- A worker keeps the terms of loans in memory: each state names the version since which its loan's id, term and plan are what they are.

ALTER TABLE core.loan_state ADD COLUMN terms_version bigint NOT NULL DEFAULT 0;
