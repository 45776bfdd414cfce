"""How much memory this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Bytes that are free or can be made so: of the machine, or of the container if that has less.

    Where the system does not say, half of what is built in.
    """
    machine = _number_after(_MEMINFO, "MemAvailable:")
    if machine is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    container = _container()
    return machine * 1024 if container is None else min(machine * 1024, container)


def _container() -> int | None:
    """Bytes left of what the control group may have, or None where it may have all."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    # Copies of files in memory count as used until something else wants the room.
    copies = _number_after(_CGROUP / "memory.stat", "inactive_file") or 0
    return max(0, int(limit) - used + copies)


def _number_after(path: Path, word: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [word]), None)
