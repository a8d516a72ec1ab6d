-- Say for which close months have been summed up.
UPDATE reporting.tally_mark SET summed_on = as_of WHERE summed_on IS DISTINCT FROM as_of
