"""Keeps the tables of reporting: marks by the minute, marts, upstream's statements beside our figures."""

from analytics_api.refresh.marts import Refresher, RefreshPlan, marts_at, refresh_once

__all__ = ["RefreshPlan", "Refresher", "marts_at", "refresh_once"]
