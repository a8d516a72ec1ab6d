-- Every book with its currencies and how many loans it has.
SELECT b.book, b.timezone, b.closes_at, b.opened_on, b.business_on, b.replaying,
    coalesce((SELECT string_agg(c.code, ',' ORDER BY c.code <> b.default_currency, c.code)
              FROM core.book_currency bc JOIN core.currency c USING (currency_key)
              WHERE bc.book_key = b.book_key), '') AS currencies,
    (SELECT count(*) FROM core.loan l WHERE l.book_key = b.book_key) AS loans
FROM core.book b
ORDER BY b.book
