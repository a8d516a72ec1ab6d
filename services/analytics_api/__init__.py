"""Serves the loan book's figures: the HTTP API, the board viewer, and the refresh of the minute tables."""
