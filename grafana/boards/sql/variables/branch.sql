SELECT branch FROM branches WHERE @book AND region IN (${region:sqlstring}) ORDER BY branch
