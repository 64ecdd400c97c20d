"""The memory of a process, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path


def resident(pid: int, which: str) -> float:
    """A figure of memory in /proc/PID/status (man 5 proc), in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which + ":")) / 1000


def pss(pid: int) -> float:
    """Proportional set size in MB (man 5 proc, smaps_rollup); 0 for a process that has gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    kilobytes = next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return int(kilobytes) / 1000
