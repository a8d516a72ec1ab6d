-- Books that close their days by the clock, with what the clock needs.
SELECT book_key, book, business_on, timezone, closes_at FROM core.book WHERE closes_by_clock
