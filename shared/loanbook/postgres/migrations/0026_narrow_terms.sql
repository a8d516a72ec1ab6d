-- What a payment reads of a loan beside its state lies in one narrow row: a batch of a million loans meets fewer pages.

-- Plans are packed in another form since this version; loans folded before it are folded once more.
ALTER TABLE core.loan ADD COLUMN packed bytea NOT NULL DEFAULT '';  -- plain loans: due days and amounts as packed_plan.py packs them
ALTER TABLE core.loan_plan DROP COLUMN packed;
