"""The service `edge-inspect fleet serve --repository DIR`: models for stations, beside the
collector."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.broker import facts
from edge.collecting import REPORT_EVERY_S, SAY_EVERY_S, Collecting, backoff, collect
from edge.log import log
from edge.ordering import desk
from edge.records import utc
from sync.broker import Address
from sync.fleet import genuine
from sync.fleet.advance import Advance
from sync.fleet.courier import Courier
from sync.fleet.database import Database, DatabaseError, file_of
from sync.fleet.herald import Herald
from sync.fleet.pieces import Pieces
from sync.fleet.publisher import Publisher
from sync.fleet.repository import Repository
from sync.fleet.roles import Roles
from sync.mqtt import MqttTransport, Settings

HOLD = 256
"""Messages that the broker may send before some are taken in."""
HUNG_S = 90.0
"""Longer than any wait for the database."""
AFTER_A_FAULT_S = 1.0
JOIN_WITHIN_S = 5.0
ORDERS_EVERY_S = 0.25


class RolloutService:
    """A courier in a thread of its own, with its log."""

    def __init__(
        self,
        courier: Courier,
        transport: MqttTransport,
        orders: Callable[[float], int] = lambda now: 0,
    ) -> None:
        self._courier = courier
        self._transport = transport
        self._orders = orders
        self._stopping = threading.Event()
        self._asked = False
        self._moved_at = time.monotonic()
        self._thread = threading.Thread(target=self.run, name="models", daemon=True)
        self._said: list[str] = []
        self._say_at = self._sent_at = 0.0
        self._orders_at = 0.0
        self._pieces = self._nonsense = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def alive(self, now: float) -> bool:
        """Whether the thread runs and has moved lately."""
        return self._thread.is_alive() and now - self._moved_at < HUNG_S

    def stop(self) -> None:
        """Ask it to end."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join(JOIN_WITHIN_S)

    def run(self) -> None:
        """Work until told to stop."""
        while not self._courier.stopped:
            wait_s = self.step(time.monotonic())
            if wait_s > 0:
                self._transport.wait(wait_s)

    def step(self, now: float) -> float:
        """One step of the courier; seconds to wait afterwards."""
        self._moved_at = now
        if self._stopping.is_set() and not self._asked:
            self._asked = True
            self._courier.stop(now)
        try:
            if now >= self._orders_at:
                self._orders_at = now + ORDERS_EVERY_S
                if self._orders(now):
                    self._courier.soon()
            wait_s = self._courier.step(now)
        except Exception as error:  # nothing that a station sends may end this thread
            log.exception("fleet.models_failed", error=error)
            self._courier.fault(f"models do not go out: {error!r}", now)
            wait_s = AFTER_A_FAULT_S
        self._report(now)
        return min(wait_s, ORDERS_EVERY_S)

    def _report(self, now: float) -> None:
        for what in self._courier.news():
            log.info("fleet.rollout", what=what)
        said = [trouble.what for trouble in self._courier.troubles]
        if said != self._said:
            self._said = said
            for trouble in self._courier.troubles:
                log.warning("fleet.trouble", what=trouble.what, mend=trouble.mend)
        if now < self._say_at:
            return
        self._say_at = now + REPORT_EVERY_S
        counters, herald = self._courier.publisher.counters, self._courier.herald
        if counters.pieces != self._pieces and now >= self._sent_at:
            self._pieces, self._sent_at = counters.pieces, now + SAY_EVERY_S
            megabytes = round(counters.bytes / 1e6, 1)
            log.info("fleet.sending", pieces=counters.pieces, mb=megabytes, packs=herald.published)
        nonsense = self._courier.nonsense + counters.ignored + counters.missing + counters.refused
        if nonsense != self._nonsense:
            self._nonsense = nonsense
            last = counters.strange or self._courier.strange
            log.warning("fleet.nonsense", times=nonsense, last=last)


@dataclass(slots=True)
class Packs:
    """Packs from the database, each as it is then. The roots are read when one is made: a new one
    comes with a new pack for every station."""

    database: Database
    repository: Repository
    roots: Mapping[int, bytes] = field(default_factory=dict)

    def make(self, station: str) -> bytes | None:
        """The newest pack of a station. Raises `sync.fleet.database.DatabaseError`."""
        with self.database.transaction() as connection:
            self.roots = Roles(connection, "").history("root")
            return self.repository.pack(connection, station)

    def version(self, station: str, pack: bytes) -> int:
        """Of the timestamp in a pack that somebody has published; NONE where it is not ours."""
        if not self.roots:
            try:
                with self.database.transaction() as connection:
                    self.roots = Roles(connection, "").history("root")
            except DatabaseError:
                return genuine.NONE  # it is published again
        return genuine.version(pack, station, self.roots, self.repository.wall())


def serve(options: Collecting, folder: Path) -> int:
    """Collect, and roll models out from the repository in `folder`; the exit code.

    Raises what `edge.collecting.collect` does, and `RepositoryError` for a folder that is none.
    """
    repository = Repository(folder)
    log.info("fleet.repository", folder=folder)
    return collect(options, lambda guard: rollouts(options, repository, guard))


def rollouts(options: Collecting, repository: Repository, guard: threading.Lock) -> RolloutService:
    """Everything of the service but the collector."""
    name = f"ei/models/{uuid.uuid4().hex[:12]}"
    settings = Settings(Address.parse(options.broker), name, options.login, hold=HOLD, facts=facts)
    transport = MqttTransport(settings)
    database = Database(options.database, guard=guard if file_of(options.database) else None)
    pieces = Pieces(Database(options.database, read_only=True))
    packs = Packs(database, repository)
    courier = Courier(
        transport,
        Advance(database, repository, time.time, utc),
        Publisher(transport, pieces.read),
        Herald(transport, packs.make, packs.version),
        backoff,
        options.group,
    )
    return RolloutService(courier, transport, desk(repository, database).step)
