SELECT to_char(business_on, 'Dy DD Mon YYYY') || CASE WHEN day_state = 'open' THEN '' ELSE ', ' || day_state END AS "Business day"
FROM day_roll_now WHERE @book
