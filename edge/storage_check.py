"""Whether what is configured for storage fits the disk, and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.retention.outlook import OUTAGE_DAYS, size
from edge.status import of_service
from edge.store.usage import Disk, disk

if TYPE_CHECKING:
    from edge.config import Config

LEAST_BYTES = 100 * 10**6
"""Less room than this is for trying things out: the database alone may fill it in a shift."""
Fault = tuple[str, str]


def faults(config: Config) -> Iterator[Fault]:
    """What is wrong, each with what mends it. Raises OSError."""
    limit, found = config.storage.max_bytes, _disk(config.state_dir)
    most = found.total - found.reserve
    if limit > most:
        yield (
            f"storage.max_bytes is {size(limit)}, the disk holds {size(found.total)}: the disk is"
            f" the limit, and its last {size(found.reserve)} stay free",
            f"set storage.max_bytes to {most // 10**6}MB or less",
        )
    if limit < LEAST_BYTES:
        yield (
            f"storage.max_bytes is {size(limit)}: records alone may fill it in a shift",
            f"set storage.max_bytes to {LEAST_BYTES // 10**6}MB or more",
        )
    if config.storage.keep_records_days < config.storage.keep_pictures_days:
        yield (
            "pictures go with their records: storage.keep_records_days is the shorter term",
            "set storage.keep_pictures_days to the same or less",
        )
    outage = _figures(config).get("outage_days")
    if config.sync is not None and isinstance(outage, int | float) and outage < OUTAGE_DAYS:
        yield (
            f"without acknowledgement there is room for {outage:.1f} days of records",
            "set storage.max_bytes higher, or have the broker looked after at week-ends",
        )


def in_words(config: Config) -> str:
    """What is kept and how long it lasts. Raises OSError."""
    kept, found = config.storage, _disk(config.state_dir)
    words = str(_figures(config).get("words") or "the line says how long it lasts once it runs")
    return (
        f"{size(kept.max_bytes)} for everything, pictures for {kept.keep_pictures_days:g} days,"
        f" records for {kept.keep_records_days:g}; {size(found.free)} free; {words}"
    )


def _figures(config: Config) -> Mapping[str, Any]:
    """What the line said of its storage when it last renewed its status."""
    storage = of_service(config, "line").content.get("storage")
    return storage if isinstance(storage, dict) else {}


def _disk(folder: Path) -> Disk:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return disk(there)
