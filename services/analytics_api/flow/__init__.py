"""Decides what the figures are, from rows and events; reads no clock and no database."""
