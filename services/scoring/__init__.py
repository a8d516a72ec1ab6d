"""Scores and alerts: how likely each loan is to go bad, why, and who has to hear of it."""
