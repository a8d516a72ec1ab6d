SELECT currency FROM currencies WHERE @book ORDER BY is_default DESC, currency
