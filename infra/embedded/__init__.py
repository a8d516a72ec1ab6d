"""Starts the parts of Loanpulse on one machine without Docker: Kafka, PostgreSQL and the services."""
