"""The commands of the ingest service that `loanpulse` finds by their entry points."""
