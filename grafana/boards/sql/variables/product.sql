SELECT product FROM products WHERE @book ORDER BY product
