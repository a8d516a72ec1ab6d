"""Remembers: the figures as analytics_reader, the minute tables as mart_writer."""

from analytics_api.store.listing import LoanPicture, pick
from analytics_api.store.marts import PostgresMartStore
from analytics_api.store.pictures import LoanPictures, take_picture
from analytics_api.store.queries import AlertQuery, LoanQuery, Selection
from analytics_api.store.reading import PostgresAnalyticsStore, Reading, Row, decoded

__all__ = [
    "AlertQuery",
    "LoanPicture",
    "LoanPictures",
    "LoanQuery",
    "PostgresAnalyticsStore",
    "PostgresMartStore",
    "Reading",
    "Row",
    "Selection",
    "decoded",
    "pick",
    "take_picture",
]
