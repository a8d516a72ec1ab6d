-- Forget the minutes that no board shows any more. $1: how long they are kept.
DELETE FROM core.cash_minute WHERE minute < now() - $1::interval
