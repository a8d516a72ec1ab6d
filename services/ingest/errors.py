"""Errors of the ingest service; the base class tells the fate."""

from __future__ import annotations

from loanbook.domain.errors import FatalError


class KeyCollisionError(FatalError):
    """Two loan ids share one 64-bit key: no figure of either could be trusted."""


class PositionLostError(FatalError):
    """A stored position does not fit the log: the topic was recreated or cut.

    Only a person may go on without what is missing: `loanpulse positions accept-gap`.
    """
