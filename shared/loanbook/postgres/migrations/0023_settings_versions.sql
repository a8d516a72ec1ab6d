-- Changed settings of a product count from one moment on, for all workers: each transaction learns with the
-- books' locks whether it still knows them. The version rises under the exclusive lock.
ALTER TABLE core.book ADD COLUMN settings_version integer NOT NULL DEFAULT 0;

DROP FUNCTION core.share_books(integer);
CREATE FUNCTION core.share_books(lock_class integer)
RETURNS TABLE (book_key smallint, book text, business_on date, settings_version integer)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(lock_class, b.book_key) FROM core.book b ORDER BY b.book_key;
    RETURN QUERY SELECT b.book_key, b.book, b.business_on, b.settings_version FROM core.book b;
END $$;
