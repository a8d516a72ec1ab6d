-- Write the scores of the stage that are newer than what stands, and history for those that moved.
-- $1 model. Texts that many loans share come once, and the stage says which of them a loan's is: $2 bases, $3 strategies,
-- $4 their reasons, $5 reasons, $6 changes, $7 contributions.
WITH written AS (
    INSERT INTO risk.score AS stands
        (slice, loan_key, book_key, branch_key, state_version, as_of, model, basis, default_probability, risk_score,
         band, stage, strategy, strategy_reason, exposure_minor, expected_loss_minor, reasons, changes, contributions,
         recorded_probability, recorded_on)
    SELECT slice, loan_key, book_key, branch_key, state_version, as_of, $1, ($2::text[])[basis], default_probability,
           risk_score, band, stage, ($3::text[])[strategy], ($4::text[])[strategy_reason], exposure_minor,
           expected_loss_minor, ($5::jsonb[])[reasons], ($6::jsonb[])[changes], ($7::jsonb[])[contributions],
           CASE WHEN features IS NOT NULL THEN default_probability END, CASE WHEN features IS NOT NULL THEN as_of END
    FROM stage_score
    ON CONFLICT (slice, loan_key) DO UPDATE SET
        book_key = excluded.book_key,
        branch_key = excluded.branch_key,
        state_version = excluded.state_version,
        as_of = excluded.as_of,
        model = excluded.model,
        basis = excluded.basis,
        default_probability = excluded.default_probability,
        risk_score = excluded.risk_score,
        band = excluded.band,
        stage = excluded.stage,
        strategy = excluded.strategy,
        strategy_reason = excluded.strategy_reason,
        exposure_minor = excluded.exposure_minor,
        expected_loss_minor = excluded.expected_loss_minor,
        reasons = excluded.reasons,
        changes = CASE WHEN excluded.changes = '[]' THEN stands.changes ELSE excluded.changes END,
        contributions = excluded.contributions,
        recorded_probability = coalesce(excluded.recorded_probability, stands.recorded_probability),
        recorded_on = coalesce(excluded.recorded_on, stands.recorded_on),
        scored_at = now()
    WHERE (stands.state_version, stands.as_of, stands.model) < (excluded.state_version, excluded.as_of, excluded.model)
    RETURNING stands.slice, stands.loan_key
), recorded AS (
    INSERT INTO risk.score_history
        (slice, loan_key, state_version, as_of, model, default_probability, risk_score, band, features)
    SELECT slice, loan_key, state_version, as_of, $1, default_probability, risk_score, band, features
    FROM stage_score
    JOIN written USING (slice, loan_key)
    WHERE features IS NOT NULL
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM written
