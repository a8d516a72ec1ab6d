"""How often Python looks for garbage in processes that work in batches."""

from __future__ import annotations

import gc

_THRESHOLDS = (500_000, 20, 100)  # the first is above what one batch or chunk holds at once


def collect_seldom() -> None:
    """Look through what is kept less often: batches are freed by their reference counts.

    As often as Python does it by itself, it takes a tenth of the time.
    """
    gc.set_threshold(*_THRESHOLDS)
