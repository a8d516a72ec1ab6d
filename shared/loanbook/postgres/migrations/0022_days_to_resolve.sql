-- Tallies now say after how many days late installments were met: all loans are tallied again.

TRUNCATE reporting.loan_tally, reporting.tally_day, reporting.tally_month_mart, reporting.tally_mark;
