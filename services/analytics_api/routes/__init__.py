"""The HTTP routes: each reads one snapshot and shapes it into an answer."""
