SELECT book AS "Book", to_char(business_on, 'YYYY-MM-DD') AS "Business day", day_state AS "State",
       to_char(flipped_at, 'YYYY-MM-DD HH24:MI') AS "Last flip"
FROM day_roll_now
ORDER BY book
