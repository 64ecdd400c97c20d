"""How long a model takes to reach many stations, beside what the broker itself can do.

Ours is the real `edge-inspect fleet serve` on SQLite and, in another process, 100 stations with the
real trust, delivery and disk: from the order of a person until each holds the whole, proven file.
Beside it, in turn and over the same mosquitto: *fan-out*, one client that publishes the same pieces
once, to a topic that 100 clients of the same kind have subscribed to and only count; and *one by
one*, the pieces published for each of them on a topic of its own. Nothing is verified, stored,
asked for or resumed there. Bytes are what stations receive, ÷ stations × size of the file.

    python benchmarks/push.py [--slices 3] [--stations 100] [--megabytes 5] [--folder .]
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.collected import broker, end, one_connection, quiet
from sync.backoff import Backoff
from sync.broker import Address
from sync.fleet.plan import Plan
from sync.fleet.repository import Parcel, Repository
from sync.link import Link
from sync.mqtt import MqttTransport, Settings
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Message
from sync.want import piece_size
from tests.simulators.stations import Fetching

TOPIC = "ei/v1/bench/line/all/model/chunk/x"
IN_FLIGHT = 64


class Counting:
    """A client that counts what comes on one topic."""

    def __init__(self, port: int, topic: str, number: int) -> None:
        self.bytes = 0
        self.ready = False
        self._topic = topic
        address = Address.parse(f"mqtt://127.0.0.1:{port}")
        self.transport = MqttTransport(Settings(address, f"count-{number}"))
        self._link = Link(self.transport, Backoff(random.random, 0.05, 0.5), 1e9)

    def step(self, now: float) -> bool:
        """Take in what came."""
        for event in self.transport.events():
            self._link.take(event, now)
            if isinstance(event, Connected):
                self.transport.subscribe(f"{self._topic}/#")
            elif isinstance(event, Acknowledged):
                self.ready = True
            elif isinstance(event, Message):
                self.bytes += len(event.payload)
        self._link.step(now)
        return False


def until(swarm: list[Any], condition: Callable[[], bool]) -> None:
    """Move everybody until the condition holds."""
    while not condition():
        now = time.monotonic()
        if not any([one.step(now) for one in swarm]):
            time.sleep(0.001)


def raw(port: int, stations: int, data: bytes, own_topics: bool) -> tuple[float, float]:
    """Seconds until all have everything, and the bytes received ÷ stations × size."""
    names = [f"{TOPIC}/{number}" if own_topics else TOPIC for number in range(stations)]
    swarm = [Counting(port, name, number) for number, name in enumerate(names)]
    until(swarm, lambda: all(one.ready for one in swarm))
    topics = sorted(set(names))
    sender = threading.Thread(target=send, args=(port, topics, data))
    began = time.monotonic()
    sender.start()
    until(swarm, lambda: all(one.bytes >= len(data) for one in swarm))
    taken = time.monotonic() - began
    sender.join()
    for one in swarm:
        one.transport.close()
    return taken, sum(one.bytes for one in swarm) / (stations * len(data))


def send(port: int, topics: list[str], data: bytes) -> None:
    """All pieces to all topics, QoS 1, so many under way."""
    size = piece_size(len(data))
    room = threading.Semaphore(IN_FLIGHT)
    with one_connection(port, room) as client:
        for start in range(0, len(data), size):
            for topic in topics:
                room.acquire()
                client.publish(f"{topic}/{start}", data[start : start + size], qos=1)
        for _ in range(IN_FLIGHT):
            room.acquire()


@contextmanager
def serving(folder: Path, port: int, repository: Path) -> Iterator[str]:
    """A real `fleet serve`; the address of its database."""
    url = f"sqlite:///{folder / 'fleet.db'}"
    command = [sys.executable, "-m", "edge", "fleet", "serve", "--repository", str(repository)]
    child = quiet([*command, "--broker", f"mqtt://127.0.0.1:{port}", "--database", url])
    try:
        yield url
    finally:
        end(child)


def ours(folder: Path, stations: int, data: bytes) -> tuple[float, float]:
    """The same of ours, on a broker of its own: packs are retained."""
    repository = folder / "repository"
    Repository.create(repository)
    root = next((repository / "root").glob("1.root.json"))
    with broker(folder) as port, serving(folder, port, repository) as url:
        swarm = []
        for number in range(stations):
            station = Station("bench", "line", f"s{number}")
            (folder / station.name).mkdir()
            swarm.append(Fetching(f"mqtt://127.0.0.1:{port}", station, folder / station.name, root))
        until(swarm, lambda: all(one.listens for one in swarm) and begun(folder / "fleet.db"))
        began = time.monotonic()
        order = threading.Thread(target=push, args=(repository, url, stations, data))
        order.start()
        digest = sha256(data).hexdigest()
        until(swarm, lambda: all(one.running == digest for one in swarm))
        taken = time.monotonic() - began
        order.join()
        received = sum(one.bytes for one in swarm) / (stations * len(data))
        for one in swarm:
            one.transport.close()
    return taken, received


def begun(path: Path) -> bool:
    """Whether `fleet serve` has put the repository into its database."""
    if not path.exists():
        return False
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        try:
            query = "SELECT count(*) FROM roles WHERE name = 'timestamp'"
            return bool(database.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return False


def push(repository: Path, url: str, stations: int, data: bytes) -> None:
    """Give the order, as `fleet push` does while `fleet serve` runs."""
    from edge.ordering import new_order, office

    hashed = sha256(data).hexdigest()
    parcel = Parcel("bench", "1.0.0", hashed, "", data)
    names = {"name": "bench", "version": "1.0.0", "digest": hashed, "manifest": ""}
    with office(repository, url) as desk:
        body = {
            "rollout": "bench-1",
            "bundle": {**names, "sha256": hashed},
            "plan": Plan(("bench/*/*",)).as_text(),
            "stations": [f"bench/line/s{number}" for number in range(stations)],
            **desk.listing(parcel.as_file()),
        }
        if desk.give(new_order("push", "bench", body), data) is None:
            raise SystemExit("fleet serve did not answer")


def measure(where: Path, slices: int, stations: int, size: int) -> None:
    """One slice of each side in turn; medians and ratios."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    for number in range(slices):
        data = random.Random(number).randbytes(size)
        for name, side in SIDES.items():
            with tempfile.TemporaryDirectory(dir=where) as folder:
                found[name].append(side(Path(folder), stations, data))
    for name, each in found.items():
        seconds = statistics.median(taken for taken, _ in each)
        rate = stations * size / seconds / 1e6
        received = statistics.median(share for _, share in each)
        print(f"{name:12s} {seconds:7.1f} s  {rate:7.1f} MB/s in all  bytes {received:.3f}")
    for name in ("fan-out", "one by one"):
        pairs = zip(found["ours"], found[name], strict=True)
        ratio = statistics.median(mine[0] / other[0] for mine, other in pairs)
        print(f"push, {stations} stations, {size / 1e6:g} MB: ours ÷ {name}: {ratio:.2f}")


def raw_side(folder: Path, stations: int, data: bytes, own_topics: bool) -> tuple[float, float]:
    """One raw run, on a fresh broker as well."""
    with broker(folder) as port:
        return raw(port, stations, data, own_topics)


SIDES: dict[str, Callable[[Path, int, bytes], tuple[float, float]]] = {
    "ours": ours,
    "fan-out": lambda folder, stations, data: raw_side(folder, stations, data, False),
    "one by one": lambda folder, stations, data: raw_side(folder, stations, data, True),
}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=3)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--folder", default=".", help="where databases and inboxes are made")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder))
        size = int(options.megabytes * 1e6)
        measure(Path(folder).resolve(), options.slices, options.stations, size)


if __name__ == "__main__":
    main()
