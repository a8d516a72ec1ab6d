-- The stage of a connection: scores on their way into the tables; texts that many loans share are numbers, from 1.
-- Arrays are kept in place, so that the commit has one file to empty.
CREATE TEMP TABLE IF NOT EXISTS stage_score (
    slice smallint, loan_key bigint, book_key smallint, branch_key integer, state_version bigint, as_of date,
    default_probability double precision, risk_score smallint, band smallint, stage smallint, exposure_minor bigint,
    expected_loss_minor bigint, basis integer, strategy integer, strategy_reason integer, reasons integer,
    changes integer, contributions integer, features real[] STORAGE PLAIN  -- null: does not enter the history
) ON COMMIT DELETE ROWS
