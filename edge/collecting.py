"""The service `edge-inspect fleet serve --collect-only`: wires broker and central database."""

from __future__ import annotations

import gc
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.broker import CertificateWatch, facts
from edge.log import log
from edge.notify import Notifier
from edge.records import utc
from edge.stopping import on_stop
from edge.store.errors import Held
from edge.store.lock import Lock
from sync.backoff import Backoff
from sync.broker import Address, Login
from sync.fleet.central import Central
from sync.fleet.collector import Collector
from sync.fleet.database import Away, Database, file_of
from sync.fleet.gallery import Gallery
from sync.link import Trouble
from sync.mqtt import MqttTransport, Settings

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 10.0
REPORT_EVERY_S = 1.0
SAY_EVERY_S = 10.0
HOLD = 64
"""Messages that the broker may send before some are committed."""
WAIT_FOR_COMMANDS_S = 30.0


@dataclass(frozen=True, slots=True)
class Collecting:
    """What the command line says."""

    broker: str
    database: str
    login: Login
    group: str
    key: bytes | None = None


class Companion(Protocol):
    """Works beside the collector in a thread of its own, and never holds it up."""

    def start(self) -> None:
        """Begin."""

    def alive(self, now: float) -> bool:
        """Whether it has moved lately."""

    def stop(self) -> None:
        """Ask it to end."""

    def join(self) -> None:
        """Wait until it has ended, a few seconds at most."""


class CollectorService:
    """One collector with its log. Whatever a step raises is said, and everything begun anew."""

    def __init__(
        self,
        collector: Collector,
        transport: MqttTransport,
        notifier: Notifier,
        certificates: Callable[[], list[Trouble]] = list,
        beside: Companion | None = None,
    ) -> None:
        self._beside = beside
        self._collector = collector
        self._certificates = certificates
        self._transport = transport
        self._notifier = notifier
        self._asked_to_stop = self._stopping = False
        self._report_at = float("-inf")
        self._said_at: float | None = None
        self._said: list[str] | None = None
        self._nonsense = 0
        self._moved: deque[tuple[float, int]] = deque()

    def handle_signals(self) -> None:
        """First SIGTERM or SIGINT: commit what has come, and leave. Second: exit 130 at once."""
        on_stop(self._ask_to_stop)

    def run(self) -> int:
        """Collect until told to stop; the exit code."""
        self._notifier.ready()
        if self._beside is not None:
            self._beside.start()
        while not self._collector.stopped:
            wait_s = self.step(time.monotonic())
            if wait_s > 0:
                self._transport.wait(wait_s)
        if self._beside is not None:
            self._beside.join()
        log.info("fleet.stopped", **self._numbers())
        return 0

    def _ask_to_stop(self) -> None:
        self._asked_to_stop = True

    def step(self, now: float) -> float:
        """One step of the collector, and a report when it is time; seconds to wait afterwards."""
        if self._asked_to_stop and not self._stopping:
            self._stopping = True
            self._notifier.stopping()
            self._collector.stop(now)
            if self._beside is not None:
                self._beside.stop()
        try:
            wait_s = self._collector.step(now)
        except Exception as error:  # nothing that a station sends may end this process
            log.exception("fleet.failed", error=error)
            self._collector.fault(f"the collector failed: {error!r}", now)
            wait_s = REPORT_EVERY_S
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._report(now)
        return min(wait_s, REPORT_EVERY_S)

    def _report(self, now: float) -> None:
        # Reached only when the step returned, so a hang anywhere in it starves the watchdog.
        if self._beside is None or self._beside.alive(now):
            self._notifier.watchdog()
        counters = self._collector.counters
        if counters.nonsense + counters.refused != self._nonsense:
            self._nonsense = counters.nonsense + counters.refused
            log.warning("fleet.nonsense", times=self._nonsense, last=counters.strange)
        troubles = [*self._collector.troubles, *self._certificates()]
        said = [trouble.what for trouble in troubles]
        if said != self._said and (said or self._collector.listening):
            self._said = said
            self._notifier.status("; ".join(said) or "collecting")
            for trouble in troubles:
                log.warning("fleet.trouble", what=trouble.what, mend=trouble.mend)
            if not said:
                log.info("fleet.well", **self._numbers())
        self._say_now_and_then(now)

    def _say_now_and_then(self, now: float) -> None:
        new = self._collector.counters.tally.new
        self._moved.append((now, new))
        if self._said_at is None:
            self._said_at = now
        if now - self._said_at < SAY_EVERY_S:
            return
        self._said_at = now
        while len(self._moved) > 1 and now - self._moved[0][0] > SAY_EVERY_S:
            self._moved.popleft()
        rate = (new - self._moved[0][1]) / max(now - self._moved[0][0], 1.0)
        if new != self._moved[0][1]:
            log.info("fleet.collecting", rate=round(rate, 1), **self._numbers())

    def _numbers(self) -> dict[str, object]:
        counters = self._collector.counters
        return {
            "streams": self._collector.streams,
            "records": counters.tally.new,
            "duplicates": counters.tally.duplicates,
            "alarms": counters.tally.alarms,
        }


def collect(
    options: Collecting, beside: Callable[[threading.Lock], Companion] | None = None
) -> int:
    """Run the service in this process; the exit code. What stands `beside` the collector shares the
    database with it: the lock is the `guard` of both.

    Raises `edge.store.errors.Held` when another collector writes this SQLite file,
    `sync.fleet.database.DatabaseError` for a database that is not ours.
    """
    address = Address.parse(options.broker)
    guard = threading.Lock()
    database = Database(options.database, guard=guard if file_of(options.database) else None)
    with ExitStack() as held:
        file = file_of(options.database)
        if file is not None:
            held.enter_context(take_lock(file))
        central, gallery = Central(database, _wall), Gallery(database, _wall)
        _try_once(central)
        name = f"ei/collector/{uuid.uuid4().hex[:12]}"
        settings = Settings(address, name, options.login, hold=HOLD, facts=facts)
        transport = MqttTransport(settings)
        watch = CertificateWatch(settings, transport)
        collector = Collector(transport, central, backoff, options.group, options.key, gallery)
        companion = beside(guard) if beside is not None else None
        service = CollectorService(collector, transport, Notifier(), watch.troubles, companion)
        service.handle_signals()
        gc.collect()
        gc.freeze()  # what was imported stays: looking through it again and again costs 5 %
        log.info("fleet.started", broker=address, database=database.words, store=database.store)
        return service.run()


def _try_once(central: Central) -> None:
    """A wrong database ends the start; one that is away only for now does not."""
    try:
        central.open()
    except Away as error:
        log.warning("fleet.trouble", what=str(error), mend=error.mend)


def _wall() -> str:
    return utc(time.time())


def backoff() -> Backoff:
    """How a service of the fleet waits before it tries again."""
    return Backoff(random.random, FIRST_WAIT_S, LONGEST_WAIT_S)


def take_lock(file: Path) -> Lock:
    """The lock beside an SQLite file. A command soon lets go of it and is waited for, a service is
    not. Raises Held."""
    end = time.monotonic() + WAIT_FOR_COMMANDS_S
    while True:
        try:
            return Lock(lock_of(file))
        except Held as error:
            if "serve" in error.holder or time.monotonic() > end:
                raise
        time.sleep(0.05)


def lock_of(file: Path) -> Path:
    """The lock that a collector holds beside its SQLite file."""
    return file.with_name(file.name + ".lock")
