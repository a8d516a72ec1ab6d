-- Borrowers' attributes, the latest recorded of each. $1: JSON array of profiles with book_key and recorded_at.
INSERT INTO core.borrower AS b (book_key, borrower_id, birth_year, gender, employment, education,
    monthly_income_minor, currency, dependents, housing, region, recorded_at)
SELECT DISTINCT ON (book_key, borrower_id) book_key, borrower_id, birth_year, gender, employment, education,
    monthly_income_minor, currency, dependents, housing, region, recorded_at
FROM jsonb_to_recordset($1::jsonb) AS p (book_key smallint, borrower_id text, birth_year smallint, gender text,
    employment text, education text, monthly_income_minor bigint, currency text, dependents smallint,
    housing text, region text, recorded_at timestamptz)
ORDER BY book_key, borrower_id, recorded_at DESC
ON CONFLICT (book_key, borrower_id) DO UPDATE
SET birth_year = excluded.birth_year, gender = excluded.gender, employment = excluded.employment,
    education = excluded.education, monthly_income_minor = excluded.monthly_income_minor,
    currency = excluded.currency, dependents = excluded.dependents, housing = excluded.housing,
    region = excluded.region, recorded_at = excluded.recorded_at
WHERE b.recorded_at <= excluded.recorded_at
