-- The last verification of each book and of the streams: its age and what it found.
SELECT coalesce(book, 'streams') AS book, age_seconds, differences FROM reporting.verification_last
