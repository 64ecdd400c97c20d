"""The service `edge-inspect sync`: wires journal, uplink and broker, and says how it is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from edge import __version__, broker
from edge.config import Config, Sync
from edge.gallery import StationGallery
from edge.line_watch import LineWatch
from edge.log import log
from edge.notify import Notifier
from edge.outbox import Outboxes
from edge.records import utc
from edge.statusfile import StatusFile
from edge.stopping import on_stop
from edge.store.images import parse_policy
from edge.store.lock import Lock
from edge.sync_models import sharing, tell_ignored
from edge.sync_status import SyncStatus
from sync.acknowledgement import read_key
from sync.allowance import Allowance
from sync.announcer import will
from sync.backoff import Backoff
from sync.gallery import read_places
from sync.mqtt import MqttTransport, Will
from sync.pictures import ANSWER_FIRST_S, ANSWER_MOST_S, Pictures
from sync.position import PositionFile
from sync.topics import Station
from sync.transport import Transport
from sync.uplink import Settings as Delivery
from sync.uplink import Uplink

STATUS_EVERY_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class SyncService:
    """One uplink with its status. `step` does one unit; `run` only waits in between."""

    def __init__(
        self,
        uplink: Uplink,
        transport: MqttTransport,
        status: SyncStatus,
        notifier: Notifier,
        until_empty: bool = False,
    ) -> None:
        self._uplink = uplink
        self._transport = transport
        self._status = status
        self._notifier = notifier
        self._until_empty = until_empty
        self._asked_to_stop = self._stopping = False
        self._status_at = float("-inf")
        self._said: list[str] = []

    def handle_signals(self) -> None:
        """First SIGTERM or SIGINT: finish what is under way. Second: exit 130 at once."""
        on_stop(self._ask_to_stop)

    def run(self) -> int:
        """Deliver until told to stop, or until empty; the exit code."""
        self._notifier.ready()
        log.info("sync.started", broker=self._status.broker)
        while not self._uplink.stopped:
            wait_s = self.step(time.monotonic())
            if wait_s > 0:
                self._transport.wait(wait_s)
        self._status.write(self._uplink, time.monotonic(), "stopped")
        log.info("sync.stopped", backlog=self._uplink.streams.backlog)
        return 0

    def _ask_to_stop(self) -> None:
        self._asked_to_stop = True

    def step(self, now: float) -> float:
        """One step of the uplink, and the status when it is time; seconds to wait afterwards."""
        if not self._stopping and (self._asked_to_stop or self._is_done()):
            self._stopping = True
            self._notifier.stopping()
            self._uplink.stop(now)
        done = self._uplink.step(now)
        self._status.acknowledged(done.acknowledged, now)
        if now - self._status_at >= STATUS_EVERY_S:
            self._status_at = now
            self._report(now)
        return 0.0 if done.busy else done.wait_s

    def _is_done(self) -> bool:
        return self._until_empty and self._uplink.drained

    def _report(self, now: float) -> None:
        # Reached only when the uplink returned, so a hang anywhere in it starves the watchdog.
        if self._uplink.moving:
            self._notifier.watchdog()
        self._status.write(self._uplink, now)
        troubles = self._uplink.troubles(now)
        said = [trouble.what for trouble in troubles]
        if said != self._said:
            before, self._said = self._said, said
            self._notifier.status("; ".join(said) or f"connected to {self._status.broker}")
            for trouble in troubles:
                if trouble.what not in before:
                    log.warning("sync.trouble", what=trouble.what, mend=trouble.mend)
            if not said:
                log.info(
                    "sync.well", broker=self._status.broker, backlog=self._uplink.streams.backlog
                )


def serve(config: Config, sync: Sync, until_empty: bool = False) -> int:
    """Run the service in this process; the exit code.

    Raises `edge.store.errors.Held` when another one runs on this state directory.
    """
    with Lock(config.state_dir / "sync.lock"):
        outboxes = Outboxes(config.state_dir)
        service = _wire(config, sync, outboxes, until_empty)
        service.handle_signals()
        try:
            return service.run()
        finally:
            outboxes.close()


def key_of(path: Path | None) -> Callable[[], bytes | None]:
    """Reads the key that collectors share, each time anew. Raises OSError, ValueError."""
    return lambda: None if path is None else read_key(path.read_bytes())


def _pictures(
    config: Config,
    sync: Sync,
    station: Station,
    transport: Transport,
    kept: Mapping[str, object],
) -> Pictures | None:
    """What sends pictures, where they are asked for; `kept` is what an earlier one left."""
    if sync.images == "none":
        return None
    escalated = sync.images == "escalated"
    policy = parse_policy(config.storage.images)
    return Pictures(
        StationGallery(config.state_dir, escalated, policy, read_places(kept)),
        transport,
        station,
        Allowance(sync.images_bytes_per_day, kept.get("day"), kept.get("bytes")),
        lambda: utc(time.time())[:10],
        Backoff(random.random, ANSWER_FIRST_S, ANSWER_MOST_S),
        sync.acknowledge == "collector",
        key_of(sync.ack_key_file),
        tell_ignored,
    )


def _wire(config: Config, sync: Sync, outboxes: Outboxes, until_empty: bool) -> SyncService:
    station = Station(config.station.site, config.station.line, config.station.name)
    named: dict[str, object] = {"schema": "station-status/1", "station": str(station)}
    last_word = Will(station.status, will(named))
    settings = broker.settings(sync, f"ei/{station}/sync", last_word)
    transport = MqttTransport(settings)
    certificates = broker.CertificateWatch(settings, transport)
    watch = LineWatch(StatusFile(config.status_folder, "line"))

    def describe() -> dict[str, object]:
        line = "up" if watch.up(time.monotonic()) else "down"
        facts = {"software": __version__, "acknowledge": sync.acknowledge, "line": line}
        until = certificates.until()
        return {**named, **facts, **({"certificate_until": until} if until else {})}

    positions = PositionFile(config.state_dir / "sync.json")
    pictures = _pictures(config, sync, station, transport, positions.read().pictures)
    uplink = Uplink(
        outboxes,
        transport,
        station,
        positions,
        Backoff(random.random, FIRST_WAIT_S, LONGEST_WAIT_S),
        describe,
        Delivery(collector=sync.acknowledge == "collector"),
        chance=random.random,
        key=key_of(sync.ack_key_file),
        tell=tell_ignored,
        sharing=sharing(config, sync, station, transport, watch, pictures),
    )
    file = StatusFile(config.status_folder, "sync")
    status = SyncStatus(
        file,
        str(settings.address),
        sync.acknowledge,
        time.time,
        utc(time.time()),
        certificates.troubles,
    )
    return SyncService(uplink, transport, status, Notifier(), until_empty)
