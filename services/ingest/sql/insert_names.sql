-- Give keys to new names. $1: kinds, $2: book keys, $3: names, $4: decimal digits (of currencies).
WITH named AS (
    SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::smallint[]) AS n (kind, book_key, name, exponent)
), sources AS (
    INSERT INTO core.source (uri) SELECT name FROM named WHERE kind = 'source' ON CONFLICT DO NOTHING
), currencies AS (
    INSERT INTO core.currency (code, exponent) SELECT name, exponent FROM named WHERE kind = 'currency' ON CONFLICT DO NOTHING
), branches AS (
    INSERT INTO core.branch (book_key, branch) SELECT book_key, name FROM named WHERE kind = 'branch' ON CONFLICT DO NOTHING
), products AS (
    INSERT INTO core.product (book_key, product) SELECT book_key, name FROM named WHERE kind = 'product' ON CONFLICT DO NOTHING
)
INSERT INTO core.officer (book_key, officer) SELECT book_key, name FROM named WHERE kind = 'officer' ON CONFLICT DO NOTHING
