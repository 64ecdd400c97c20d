"""What sync does about models: the fleet's word, the inbox, and `model/state`, put together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from edge import __version__
from edge.clock import Clock
from edge.config import Config, Sync
from edge.line_watch import LineWatch
from edge.log import log
from edge.records import utc
from edge.store.usage import disk
from sync.delivery import Delivery
from sync.inbox import Inbox
from sync.model_state import model_state
from sync.pictures import Pictures
from sync.reception import Bounds, Reception
from sync.sharing import Sharing, word_on_models
from sync.topics import Station
from sync.transport import Transport
from sync.trust import Trust

LOOK_EVERY_S = 5.0
STEP_S = 60.0
"""A clock that moves so far against the monotonic one was set; or the machine has slept."""


class Synced:
    """Whether the clock is synchronised, asked of the kernel now and then; and whether it was set
    meanwhile."""

    def __init__(self, clock: Clock, now: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now = now
        self._look_at = now() + LOOK_EVERY_S
        self._known = self._offset(), clock.synced

    def __call__(self) -> bool:
        if self._now() >= self._look_at:
            self._look_at = self._now() + LOOK_EVERY_S
            self._clock.refresh()
        return self._clock.synced

    def changed(self) -> bool:
        """Whether, since the last call that said so, the clock was set or became synchronised or
        the contrary: what was judged by it is to be judged again."""
        (before, was), offset = self._known, self._offset()
        moved = abs(offset - before) >= STEP_S
        if moved:
            self._look_at = self._now()
        if self() == was and not moved:
            return False
        self._known = offset, self()
        return True

    def _offset(self) -> float:
        return self._clock.wall() - self._now()


def room(config: Config) -> int:
    """Bytes that a bundle may take. Half of what retention keeps free is for others like it: a
    disk that is full of pictures still has room for a model. Raises OSError."""
    found = disk(config.state_dir)
    return found.free - found.reserve // 2


def sharing(
    config: Config,
    sync: Sync,
    station: Station,
    transport: Transport,
    watch: LineWatch,
    pictures: Pictures | None,
) -> Sharing:
    """Everything that goes behind the records, with what `model/state` says."""
    synced = Synced(Clock())
    delivery = Delivery(_reception(config, sync, station, synced), transport, station, tell_ignored)
    named = {"station": str(station), "software": __version__}

    def state() -> Mapping[str, object]:
        return model_state(named, watch.said, delivery.state(), synced())

    word = word_on_models(transport, station, lambda: {"at": utc(time.time())})
    return Sharing(pictures, delivery, word, state)


def tell_ignored(topic: str, why: str) -> None:
    """A message without effect."""
    log.warning("sync.ignored", topic=topic, why=why)


def _reception(config: Config, sync: Sync, station: Station, synced: Synced) -> Reception | None:
    if sync.trust_root_file is None:
        return None
    # 0.2 s for python-tuf: at the start, not when a pack has come and records wait behind it
    from sync import metadata  # noqa: F401

    folder, root = config.state_dir / "trust", sync.trust_root_file
    return Reception(
        Inbox(config.state_dir / "inbox"),
        Trust(
            folder,
            root,
            str(station),
            now=time.time,
            clock_synced=synced,
            tell=lambda what: log.warning("sync.trust", what=what),
        ),
        lambda: room(config),
        lambda: utc(time.time()),
        Bounds(config.rollout.max_bundle_bytes, sync.models_bytes_per_s),
        random.random,
        synced.changed,
    )
