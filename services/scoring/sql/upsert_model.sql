-- State the running model with its assumptions, and its bands.
-- $1 model, $2 basis, $3 loss given default, $4 assumptions, $5 bands, $6 their names, $7 their lowest scores.
WITH model AS (
    INSERT INTO risk.model (model, basis, loss_given_default, assumptions) VALUES ($1, $2, $3, $4::jsonb)
    ON CONFLICT (model) DO UPDATE SET
        loss_given_default = excluded.loss_given_default, assumptions = excluded.assumptions
)
INSERT INTO risk.band (band, name, score_min)
SELECT * FROM unnest($5::smallint[], $6::text[], $7::smallint[])
ON CONFLICT (band) DO UPDATE SET name = excluded.name, score_min = excluded.score_min
