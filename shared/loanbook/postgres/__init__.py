"""Postgres: connections, migrations, named queries and the ledger's rows."""
