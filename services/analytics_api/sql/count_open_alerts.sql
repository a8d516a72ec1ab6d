-- Open alert episodes by book, rule and severity.
SELECT book, rule, severity, count(*) AS episodes FROM reporting.alerts_now GROUP BY book, rule, severity
