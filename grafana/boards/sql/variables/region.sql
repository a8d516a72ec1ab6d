SELECT DISTINCT region FROM branches WHERE @book ORDER BY region
