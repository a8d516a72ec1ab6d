-- Forget the stages of a minute ago.
DELETE FROM reporting.stage_mart
