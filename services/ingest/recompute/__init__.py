"""The book beside what its ledger makes of it: what `loanpulse verify` and `refold` do."""
