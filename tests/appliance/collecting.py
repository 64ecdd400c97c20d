"""Stations with journals, a real broker, and collectors that are real processes."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import sqlalchemy as sa

from edge.outbox import Outboxes
from edge.records import utc
from edge.store.journal import Journal
from edge.store.pruning import Prune
from sync.backoff import Backoff
from sync.broker import Address
from sync.chain import GENESIS
from sync.fleet import tables
from sync.fleet.database import Database
from sync.fleet.ledger import Entry, ledger
from sync.mqtt import MqttTransport, Settings
from sync.position import PositionFile
from sync.topics import Station
from sync.uplink import Settings as Delivery
from sync.uplink import Uplink
from tests.edge.store.builders import sure
from tests.simulators.patience import until

NAME = Station("plant-a", "line-3", "caps")


class Site:
    """A station: the journal that a line writes, and delivery of it as the service does it."""

    def __init__(self, folder: Path, broker: str, name: Station = NAME) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.recorded = 0
        self.folder = folder
        self._broker = broker
        self._journal = Journal.open(folder / "line.db", "boot", 0)
        self.epoch, _, _ = self._journal.head
        self._start()

    def _start(self) -> None:
        self._outboxes = Outboxes(self.folder)
        client = f"ei/{self.name}/sync/{random.getrandbits(32)}"
        self.transport = MqttTransport(Settings(Address.parse(self._broker), client))
        self.uplink = Uplink(
            self._outboxes,
            self.transport,
            self.name,
            PositionFile(self.folder / "sync.json"),
            Backoff(random.random, 0.02, 0.3),
            lambda: {
                "schema": "station-status/1",
                "station": str(self.name),
                "acknowledge": "collector",
                "line": "up",
            },
            Delivery(collector=True, status_every_s=0.2),
            chance=random.random,
        )

    def record(self, parts: int) -> None:
        """An inspection and its disposition for each part."""
        for start in range(0, parts, 250):
            batch = sure(min(250, parts - start))
            self.recorded += len(batch)
            self._journal.append(batch)

    def prune(self, through: int) -> None:
        """Retention deletes a prefix, whoever acknowledged it."""
        while self._journal.prune(Prune(through, utc(time.time()), waits=False)).deleted:
            continue

    def step(self) -> None:
        """One step of delivery, or a short wait."""
        done = self.uplink.step(time.monotonic())
        if not done.busy:
            self.transport.wait(min(done.wait_s, 0.02))

    def bodies(self) -> list[bytes]:
        """Every record, as it was stored."""
        (source, *_) = self._outboxes()
        rows = source.journal.rows(0, 1 << 30, 1 << 40, self.epoch)
        return [row.body for row in rows]

    def close(self) -> None:
        """The service and the line end."""
        self.transport.close()
        self._outboxes.close()
        self._journal.close()


class Collectors:
    """Processes `edge-inspect fleet serve`, to be killed and started again."""

    def __init__(self, folder: Path, broker: str, database: str, *words: str) -> None:
        self._folder = folder
        self._command = [
            *(sys.executable, "-m", "edge", "fleet", "serve", "--collect-only"),
            *("--broker", broker, "--database", database, *words),
        ]
        self._running: list[subprocess.Popen[bytes]] = []
        self._started = 0

    def start(self) -> None:
        """One more."""
        self._started += 1
        with open(self._log(self._started), "ab") as log:
            self._running.append(subprocess.Popen(self._command, stdout=log, stderr=log))

    def kill(self) -> None:
        """The oldest dies at once."""
        oldest = self._running.pop(0)
        oldest.kill()
        oldest.wait()

    def stop(self) -> list[int]:
        """All end in good order, once they have begun; their exit codes."""
        number = self._started - len(self._running)
        for one in self._running:
            number += 1
            until(lambda log=self._log(number): "fleet.started" in log.read_text(), pause)  # type: ignore[misc]
            one.send_signal(signal.SIGTERM)
        codes = [one.wait(30) for one in self._running]
        self._running.clear()
        return codes

    def remove(self) -> None:
        """None is left."""
        while self._running:
            self.kill()

    def _log(self, number: int) -> Path:
        return self._folder / f"collector-{number}.log"


def pause() -> None:
    """Let other processes work."""
    threading.Event().wait(0.02)


class Books:
    """What the central database holds, seen by another reader."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database: Database | None = None

    def entries(self) -> list[Entry]:
        """The ledger; nothing before there is a database."""
        if self._database is None:
            try:
                self._database = Database(self._url, read_only=True)
                return ledger(self._database)
            except Exception:
                self._database = None
                return []
        return ledger(self._database)

    def held(self) -> int:
        """Records of all chains."""
        return sum(entry.account.held for entry in self.entries())

    def bodies(self, site: Site) -> list[bytes]:
        """All records of a station in order; each is there once, and hashes as its row says."""
        records, chains = tables.records.c, tables.chains.c
        query = sa.select(records.seq, records.body, records.hash).join(tables.chains)
        query = query.where(chains.station == str(site.name), chains.epoch == site.epoch)
        assert self._database is not None
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(records.seq)).all()
        digest, before = bytes.fromhex(GENESIS), 0
        for row in rows:
            if row.seq == before + 1:
                assert bytes(row.hash) == hashlib.sha256(digest + row.body.encode()).digest()
            digest, before = bytes(row.hash), row.seq
        return [row.body.encode() for row in rows]

    def close(self) -> None:
        """Let go."""
        if self._database is not None:
            self._database.close()
