"""Retention put together: from the configuration to the helper of the tend thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.clock import Clock
from edge.retention import ballast
from edge.retention.elsewhere import Elsewhere
from edge.retention.forecast import DAY_S
from edge.retention.stock import Stock
from edge.review.questions import OPEN_CHECKS
from edge.store import usage
from edge.store.images import ImageStore, parse_policy
from edge.workers.errands import Errands
from edge.workers.storing import Limits, Parts, Storing
from edge.workers.watch import STATE

if TYPE_CHECKING:
    from edge.config import Config


def make_room_to_start(config: Config) -> None:
    """Throw off the ballast of a full disk: SQLite cannot even open a database on one, and
    retention only begins once it is open."""
    found = usage.disk(config.state_dir)
    aboard = _ballast(config, found)
    if aboard.aboard:
        aboard.balance(found.free, refused=False)


def _ballast(config: Config, disk: usage.Disk) -> ballast.Ballast:
    size = ballast.fitting(min(disk.total, config.storage.max_bytes))
    return ballast.Ballast(config.state_dir, size)


def storing(
    config: Config,
    images: ImageStore,
    errands: Errands,
    clock: Clock,
    refusal: Callable[[], str | None],
) -> Storing:
    """Wired; no file is opened yet. `refusal` says why a record cannot be written now."""
    folder, kept, sync = config.state_dir, config.storage, config.sync
    disk = usage.disk(folder)
    images.floor = disk.reserve // 2
    samples = parse_policy(kept.images).random_share > 0
    parts = Parts(
        folder,
        Stock(folder / "line.db", OPEN_CHECKS, STATE),
        Elsewhere(
            folder,
            "none" if sync is None else sync.images,
            samples,
            sync is not None and sync.acknowledge == "collector",
        ),
        errands,
        images,
        _ballast(config, disk),
        clock,
        refusal,
    )
    limits = Limits(
        kept.max_bytes,
        kept.keep_pictures_days * DAY_S,
        kept.keep_records_days * DAY_S,
        waits=sync is not None,
    )
    return Storing(parts, limits)
