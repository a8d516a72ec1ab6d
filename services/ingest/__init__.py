"""Brings events in: the HTTP gateway and file import towards Kafka, and Kafka into loan state."""
