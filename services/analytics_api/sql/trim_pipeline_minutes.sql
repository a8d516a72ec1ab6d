-- Forget minutes of the pipeline from before a moment.
-- $1: the moment.
DELETE FROM reporting.pipeline_minute WHERE minute < $1
