-- What became of all records received; what is missing is a fault.
SELECT received, applied, unapplied, quarantined, duplicates, dead, other, missing FROM reporting.event_fates
