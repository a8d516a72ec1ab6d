SELECT CASE WHEN sum(stated) > 0 THEN sum(drifting)::bigint END AS "Drifting loans" FROM reconciliation WHERE @book
