"""A seeded, made-up loan book: the same settings give the same events, day by day and for ever."""
