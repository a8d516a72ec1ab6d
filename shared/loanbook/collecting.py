"""How processes that work in batches keep memory: seldom searched for garbage, not given back between."""

from __future__ import annotations

import ctypes
import gc

_THRESHOLDS = (500_000, 20, 100)  # the first is above what one batch or chunk holds at once
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's mallopt
_KEPT_BYTES, _LARGE_BYTES = 128 * 2**20, 32 * 2**20


def collect_seldom() -> None:
    """Look through what is kept less often: batches are freed by their reference counts.

    As often as Python does it by itself, it takes a tenth of the time.
    """
    gc.set_threshold(*_THRESHOLDS)


def keep_freed_memory() -> None:
    """Have the C library keep what a batch's columns leave for those of the next, where it can be told so.

    Else it returns them to the system, which gives them back page by page: a twentieth of the time.
    With a heap for each thread it would keep some 15 to 30 MB more that nothing uses.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        tell(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        tell(_M_ARENA_MAX, 1)
