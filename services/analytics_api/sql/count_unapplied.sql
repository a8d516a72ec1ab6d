-- Events kept that do not count, by book and reason.
SELECT b.book, u.reason, count(*) AS events
FROM core.unapplied u JOIN core.loan l USING (slice, loan_key) JOIN core.book b USING (book_key)
GROUP BY b.book, u.reason
