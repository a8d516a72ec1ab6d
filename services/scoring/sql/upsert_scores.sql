-- Write scores that are newer than what stands, in key order, and history for those that moved.
-- One array a column: $1 slice, $2 loan, $3 book, $4 branch, $5 state version, $6 as-of (days since 1970),
-- $7 basis, $8 probability, $9 score, $10 band, $11 stage, $12 strategy, $13 its reason, $14 exposure,
-- $15 expected loss, $16 reasons, $17 changes, $18 contributions, $19 features where the history takes a row.
-- $20 model.
WITH given AS (
    SELECT slice, loan_key, book_key, branch_key, state_version, date 'epoch' + as_of AS as_of, basis, default_probability,
           risk_score, band, stage, strategy, strategy_reason, exposure_minor, expected_loss_minor,
           reasons::jsonb AS reasons, changes::jsonb AS changes, contributions::jsonb AS contributions,
           features::real[] AS features
    FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::integer[], $5::bigint[], $6::integer[], $7::text[], $8::float8[],
                $9::smallint[], $10::smallint[], $11::smallint[], $12::text[], $13::text[], $14::bigint[],
                $15::bigint[], $16::text[], $17::text[], $18::text[], $19::text[])
        AS g (slice, loan_key, book_key, branch_key, state_version, as_of, basis, default_probability, risk_score, band, stage,
              strategy, strategy_reason, exposure_minor, expected_loss_minor, reasons, changes, contributions, features)
    ORDER BY slice, loan_key
), written AS (
    INSERT INTO risk.score AS stands
        (slice, loan_key, book_key, branch_key, state_version, as_of, model, basis, default_probability, risk_score,
         band, stage, strategy, strategy_reason, exposure_minor, expected_loss_minor, reasons, changes, contributions,
         recorded_probability, recorded_on)
    SELECT slice, loan_key, book_key, branch_key, state_version, as_of, $20, basis, default_probability, risk_score,
           band, stage, strategy, strategy_reason, exposure_minor, expected_loss_minor, reasons, changes, contributions,
           CASE WHEN features IS NOT NULL THEN default_probability END, CASE WHEN features IS NOT NULL THEN as_of END
    FROM given
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
    SELECT g.slice, g.loan_key, g.state_version, g.as_of, $20, g.default_probability, g.risk_score, g.band, g.features
    FROM given g
    JOIN written USING (slice, loan_key)
    WHERE g.features IS NOT NULL
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM written
