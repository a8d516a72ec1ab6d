"""Kafka as both workers and the gateway use it: whole batches in, durable events out."""
