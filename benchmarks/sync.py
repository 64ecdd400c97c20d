"""Figures 8 and 10: how fast a backlog drains on PUBACK, and in how many bytes. Afterwards figure 9
(benchmarks/collected.py) and, with a million records of backlog, 3 and 4 (benchmarks/backlog.py).

Both sides send the same records from the same database to the same mosquitto, one slice of each in
turn. The prototype loop is what one writes first and then makes fast: 100 rows a message, at most 8
unacknowledged, `TCP_NODELAY`, no chain, no position, no segments; once as plain JSON and once with
zlib, the same work as ours for the same bytes. Wire bytes are those of the PUBLISH packets.

    python benchmarks/sync.py [--slices 8] [--records 50000] [--folder .] [--backlog 1000000]
"""

from __future__ import annotations

import argparse
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks import backlog, collected
from benchmarks.store import part
from edge.demo.station import find_mosquitto, free_port
from edge.outbox import Outbox
from edge.store.journal import Journal
from sync.backoff import Backoff
from sync.broker import Address
from sync.journal import only
from sync.mqtt import MqttTransport, Settings
from sync.position import PositionFile
from sync.topics import Station
from sync.uplink import Uplink

STATION = Station("plant-a", "line-3", "caps")
ROWS, WINDOW = 100, 8


def fill(path: Path, records: int) -> int:
    """A journal of this many records; the length of their bodies as plain JSON lines."""
    journal = Journal.open(path, "boot", 0)
    for start in range(0, records // 2, 500):
        batch = [one for number in range(start, start + 500) for one in part(number)]
        journal.append(batch)
    journal.close()
    database = sqlite3.connect(path)
    (size,) = database.execute("SELECT sum(length(body) + 1) FROM records").fetchone()
    database.close()
    return int(size)


class Counting(MqttTransport):
    """Ours, counting the bytes of its PUBLISH packets."""

    wire = 0

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self.wire += packet_size(topic, payload)
        return super().publish(topic, payload, retain=retain)


def packet_size(topic: str, payload: bytes) -> int:
    """Bytes of a PUBLISH with QoS 1 in MQTT 5: header, lengths, topic, id, no properties."""
    rest = 2 + len(topic) + 2 + 1 + len(payload)
    return 1 + (1 if rest < 128 else 2 if rest < 16_384 else 3) + rest


def ours(path: Path, port: int, folder: Path) -> tuple[float, int]:
    """Seconds until everything is acknowledged and the position is stored; bytes sent."""
    transport = Counting(Settings(Address.parse(f"mqtt://127.0.0.1:{port}"), "ours"))
    outbox = Outbox(path)
    positions = PositionFile(folder / f"{uuid.uuid4()}.json")
    backoff = Backoff(lambda: 0.5, 0.1, 1.0)
    uplink = Uplink(only(outbox), transport, STATION, positions, backoff)
    began = time.perf_counter()
    while not uplink.drained:
        step = uplink.step(time.monotonic())
        if not step.busy:
            transport.wait(step.wait_s)
    taken = time.perf_counter() - began
    uplink.stop(time.monotonic())
    while not uplink.stopped:
        uplink.step(time.monotonic())
    outbox.close()
    return taken, transport.wire


def prototype(path: Path, port: int, pack: Callable[[bytes], bytes]) -> tuple[float, int]:
    """The same with a loop over paho."""
    import paho.mqtt.client as paho

    room = threading.Semaphore(WINDOW)
    connected = threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: room.release()

    def opened(client: Any, data: Any, connection: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    client.on_socket_open = opened
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    began = time.perf_counter()
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait()
    seq, wire, topic = 0, 0, STATION.results("line")
    query = "SELECT seq, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
    while rows := database.execute(query, (seq, ROWS)).fetchall():
        payload = pack(b"\n".join(body for _, body in rows))
        room.acquire()
        client.publish(topic, payload, qos=1)
        wire += packet_size(topic, payload)
        seq = rows[-1][0]
    for _ in range(WINDOW):
        room.acquire()
    taken = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    database.close()
    return taken, wire


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--folder", default=".", help="where the database is made")
    parser.add_argument("--backlog", type=int, default=1_000_000, help="0 leaves figures 3, 4 out")
    options = parser.parse_args()
    if find_mosquitto() is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder, port = Path(name), free_port()
        path = folder / "line.db"
        plain = fill(path, options.records)
        settings = folder / "mosquitto.conf"
        settings.write_text(f"set_tcp_nodelay true\nlistener {port}\nallow_anonymous true\n")
        broker = subprocess.Popen(
            [str(find_mosquitto()), "-c", str(settings)], stderr=subprocess.DEVNULL
        )
        try:
            measure(path, port, folder, options.slices, options.records, plain)
        finally:
            broker.terminate()
            broker.wait()
    collected.run(Path(options.folder), 3, 2 * options.records)
    if options.backlog:
        backlog.run_in(Path(options.folder), options.backlog, 40.0)


def measure(path: Path, port: int, folder: Path, slices: int, records: int, plain: int) -> None:
    """One slice of each side in turn."""
    sides: dict[str, Callable[[], tuple[float, int]]] = {
        "ours": lambda: ours(path, port, folder),
        "prototype, plain": lambda: prototype(path, port, bytes),
        "prototype, zlib": lambda: prototype(path, port, lambda data: zlib.compress(data, 1)),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    wire: dict[str, int] = {}
    ours(path, port, folder)  # the first one also waits for the broker
    for _ in range(slices):
        for name, side in sides.items():
            taken, wire[name] = side()
            rates[name].append(records / taken)
    for name, found in rates.items():
        print(
            f"{name:17s} {statistics.median(found):9,.0f} records/s"
            f"   {wire[name] / records:6.1f} bytes a record on the wire"
        )
    for name in list(rates)[1:]:
        ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates[name], strict=True))
        print(f"figure 8  drain ÷ {name}: {ratio:.2f}  (aim ≥ 0.50)")
    print(f"figure 10 wire ÷ plain JSON ({plain / records:.0f} bytes a record): ", end="")
    print(f"{wire['ours'] / plain:.3f}  (aim ≤ 0.20)")


if __name__ == "__main__":
    main()
