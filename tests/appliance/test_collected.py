"""Nothing recorded is lost on the way: station, broker, collector, database; and they all die."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync import pace, streams
from tests.appliance.collecting import Books, Collectors, Site
from tests.conftest import SOAK
from tests.simulators.broker import Broker
from tests.simulators.patience import until
from tests.simulators.postgres import Postgres

RECORDS = 100_000 if SOAK else 10_000
BROKER_KILLS = 200 if SOAK else 20
COLLECTOR_KILLS = 100 if SOAK else 10


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A station waits seconds before it sends again. What it then sends is what is tested here."""
    if not SOAK:
        monkeypatch.setattr(streams, "FIRST_AGAIN_S", 0.4)
        monkeypatch.setattr(pace, "AGAIN_EVERY_S", 0.2)
        monkeypatch.setattr(pace, "LAG_S", 0.3)


@contextmanager
def plant(
    folder: Path, url: str, collectors: int
) -> Iterator[tuple[Site, Broker, Collectors, Books]]:
    """A station, a broker, so many collectors on one database, and its books."""
    broker = Broker(folder / "broker")
    broker.start()
    site = Site(folder / "station", broker.url)
    running, books = Collectors(folder, broker.url, url), Books(url)
    try:
        for _ in range(collectors):
            running.start()
        yield site, broker, running, books
    finally:
        running.remove()
        site.close()
        books.close()
        if broker.running:
            broker.kill()


def chaos(site: Site, broker: Broker, collectors: Collectors, books: Books) -> None:
    """Records come while broker and collectors die; each dies only when something has arrived
    since the last death, so that it hits delivery at work."""
    deaths = ["broker"] * BROKER_KILLS + ["collector"] * COLLECTOR_KILLS
    random.Random(4).shuffle(deaths)
    for index, death in enumerate(deaths):
        wanted = RECORDS * (index + 1) // len(deaths) // 2 * 2
        before = books.held()
        site.record((wanted - site.recorded) // 2)
        until(lambda seen=before: books.held() > seen, site.step)  # type: ignore[misc]
        if death == "broker":
            broker.kill()
            broker.wipe()
            broker.start()
        else:
            collectors.kill()
            collectors.start()
    site.record((RECORDS - site.recorded) // 2)
    until(lambda: books.held() == site.recorded and site.uplink.drained, site.step)


def check_whole(site: Site, books: Books) -> None:
    """Every record is there, once, as it was recorded, and the books say so."""
    assert books.bodies(site) == site.bodies()
    (entry,) = books.entries()
    assert entry.through == entry.account.held == site.recorded == RECORDS
    assert entry.account.missing == entry.account.waiting == sum(entry.account.gone.values()) == 0
    assert entry.alarm_count == entry.conflicts == 0
    assert entry.ahead == ()


@pytest.mark.broker
@pytest.mark.slow
def test_broker_and_collector_die_again_and_again(tmp_path: Path) -> None:
    with plant(tmp_path, f"sqlite:///{tmp_path}/fleet.db", 1) as (site, broker, running, books):
        chaos(site, broker, running, books)
        check_whole(site, books)
        assert running.stop() == [0]


@pytest.mark.broker
@pytest.mark.postgres
@pytest.mark.slow
def test_two_collectors_on_one_postgresql_die_again_and_again(
    tmp_path: Path, postgres: Postgres
) -> None:
    with plant(tmp_path, postgres.create(), 2) as (site, broker, running, books):
        chaos(site, broker, running, books)
        check_whole(site, books)
        assert running.stop() == [0, 0]


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("pruned", [0, 2000])
def test_a_collector_restored_from_a_backup_is_made_complete(tmp_path: Path, pruned: int) -> None:
    """Or lists exactly what its stations have deleted meanwhile."""
    path = tmp_path / "fleet.db"
    url = f"sqlite:///{path}"
    with plant(tmp_path, url, 1) as (site, _, running, books):
        for parts in (500, 1000):
            site.record(parts)
            until(lambda: books.held() == site.recorded and site.uplink.drained, site.step)
            if parts == 500:
                back_up(path, tmp_path / "backup.db")
        bodies = site.bodies()
        if pruned:
            site.prune(pruned)
        running.kill()
        books.close()
        restore(tmp_path / "backup.db", path)
        again = Books(url)
        assert again.held() == 1000
        running.start()
        until(lambda: again.entries()[0].through == site.recorded, site.step)
        absent = range(1001, pruned + 1)
        assert again.bodies(site) == bodies[:1000] + bodies[1000 + len(absent) :]
        account = again.entries()[0].account
        assert (account.missing, account.gone) == (0, {"pruned": 1000} if pruned else {})
        again.close()
        told = subprocess.run(
            [sys.executable, "-m", "edge", "fleet", "ledger", "--database", url],
            capture_output=True,
            text=True,
        )
        assert told.returncode == 0
        assert ("1001 to 2000 pruned at" in told.stdout) == bool(pruned)


def back_up(path: Path, to: Path) -> None:
    """A copy while the collector runs: docs/fleet.md says how."""
    source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


def restore(backup: Path, path: Path) -> None:
    """Put it back, without what belongs to the file that it replaces."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(backup, path)
