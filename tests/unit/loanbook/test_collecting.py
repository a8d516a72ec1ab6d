"""What the C library is told of memory, seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ALLOCATE_IN_A_THREAD = """
import ctypes, sys, threading
from loanbook.collecting import keep_freed_memory
if sys.argv[1] == "told":
    keep_freed_memory()
kept = []
thread = threading.Thread(target=lambda: kept.append(bytes(100_000)))
thread.start()
thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own way of keeping memory")
@pytest.mark.parametrize(("how", "heaps"), [("told", 1), ("not told", 2)])
def test_threads_share_the_heap_of_a_process_that_works_in_batches(how: str, heaps: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALLOCATE_IN_A_THREAD, how], capture_output=True, text=True, check=True
    )
    assert sum(line.startswith("Arena") for line in done.stderr.splitlines()) == heaps
