"""PostgreSQL's settings by the memory of the machine it shares with Kafka and the workers."""

from __future__ import annotations

import shutil
from pathlib import Path

from embedded.ports import LOOPBACK

_GIB = 1 << 30


def postgres_settings(memory_bytes: int) -> dict[str, str]:
    """Server settings for one machine shared with Kafka and the workers, by its memory."""
    roomy = memory_bytes >= 8 * _GIB
    small = memory_bytes < 2 * _GIB
    # With less, batches over a million loans write out each other's pages.
    buffers = "3GB" if memory_bytes >= 16 * _GIB else "1GB" if roomy else "128MB" if small else "256MB"
    return {
        "listen_addresses": LOOPBACK,
        "max_connections": "200",
        "shared_buffers": buffers,
        "effective_cache_size": "4GB" if roomy else "1GB",
        "work_mem": "32MB" if roomy else "8MB",
        "maintenance_work_mem": "256MB" if roomy else "64MB",
        "max_wal_size": "8GB" if roomy else "2GB",
        # A batch over loans of many pages logs more than the usual 16 MB; without room it waits for the disk.
        "wal_buffers": "64MB" if roomy else "-1",
        "checkpoint_timeout": "15min",
        "wal_compression": "off",
        "random_page_cost": "1.1",
        "jit": "off",
        "shared_preload_libraries": "pg_stat_statements",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "dynamic_shared_memory_type": "posix" if _shared_memory_is_roomy() else "mmap",
    }


def _shared_memory_is_roomy() -> bool:
    # Containers often have 64 MB of it, too little for one parallel hash join.
    memory = Path("/dev/shm")  # noqa: S108  a mount point of the kernel, not a temporary file
    return not memory.exists() or shutil.disk_usage(memory).total >= _GIB // 4
