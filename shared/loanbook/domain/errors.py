"""The errors of the loan book; the class of an error tells its fate."""

from __future__ import annotations


class LoanbookError(Exception):
    """Something is wrong with the loan book."""


class RejectedEventError(LoanbookError):
    """The event cannot be taken: it goes to the dead letters with field and reason."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason if field is None else f"{field}: {reason}")
        self.reason = reason
        self.field = field


class RetryableError(LoanbookError):
    """A part is away for the moment: try again until it is back."""


class FatalError(LoanbookError):
    """Going on would do harm: the process stops and says why."""


class InvalidSettingsError(LoanbookError):
    """A product's settings cannot be read; names the setting and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
