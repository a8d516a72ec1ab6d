-- Say for which close months have been summed up. $1: whether no loan waits any more.
UPDATE reporting.tally_mark k SET summed_on = as_of
WHERE k.summed_on < k.as_of OR ($1::boolean AND k.summed_on IS NULL)
