SELECT coalesce(book, 'streams') AS "What", to_char(finished_at, 'YYYY-MM-DD HH24:MI') AS "When", age_seconds AS "Age",
       loans AS "Loans", CASE WHEN is_complete THEN 'every loan' ELSE 'a sample' END AS "Extent", differences AS "Differences",
       (SELECT string_agg(t.key || ' ' || t.value, ', ') FROM jsonb_each_text(details -> 'by_table') t) AS "Where"
FROM verification_last
ORDER BY book NULLS LAST
