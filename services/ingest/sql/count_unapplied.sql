-- Events that do not count: as the states say and as they are listed. No parameters.
SELECT (SELECT coalesce(sum(unapplied), 0) FROM core.loan_state)::bigint AS stated,
       (SELECT count(*) FROM core.unapplied) AS listed
