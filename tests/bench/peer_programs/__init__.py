"""Others who keep a ledger and a sum a loan, each a program of its own in an environment of its own."""
