"""Conformance: case files with expected figures, played through the fold; pure."""
