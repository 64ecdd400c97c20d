"""Figure 9: how fast a backlog reaches a collector that acknowledges only what it has committed.

Ours is the real `edge-inspect sync` and the real `edge-inspect fleet serve --collect-only`, from
the start of sync to its end (`--until-empty`), over the same mosquitto as the others, once with
SQLite and, where a PostgreSQL is installed, once with that. Beside it, in turn: the best that
one-record-a-message does over paho (QoS 1, a window of 1,000, `TCP_NODELAY`), `mosquitto_pub -l`
with the same lines, and raw `sqlite3` with the same records (1,000 a transaction, FULL).

    python benchmarks/collected.py [--slices 3] [--records 100000] [--folder .]
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.store import Bare, part, rate
from edge.demo.station import find_mosquitto, free_port
from edge.store.journal import Journal
from tests.simulators.postgres import Postgres, find_programs, running_postgres

BATCH = 500
IN_FLIGHT = 1000
TOPIC = "ei/v1/plant-a/line-3/caps/results/one"
CONFIG = """
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: {state}
camera: {{source: synthetic}}
model: {{bundle: "@rings"}}
sync: {{broker: "mqtt://127.0.0.1:{port}", acknowledge: collector}}
"""


def fill(path: Path, records: int) -> int:
    """A journal of this many records; the bytes of their bodies as plain JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(path, "boot", 0)
    for start in range(0, records // 2, BATCH):
        journal.append([one for number in range(start, start + BATCH) for one in part(number)])
    journal.close()
    with sqlite3.connect(path) as database:
        (size,) = database.execute("SELECT sum(length(body) + 1) FROM records").fetchone()
    return int(size)


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A mosquitto as docs/brokers.md wants it; its port."""
    port, settings = free_port(), folder / "mosquitto.conf"
    lines = ("set_tcp_nodelay true", "max_queued_messages 0", f"listener {port} 127.0.0.1")
    settings.write_text("\n".join((*lines, "allow_anonymous true", "")))
    child = quiet([str(find_mosquitto()), "-c", str(settings)])
    try:
        wait_for(port)
        yield port
    finally:
        end(child)


@contextmanager
def collector(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real collector."""
    command = [sys.executable, "-m", "edge", "fleet", "serve", "--collect-only"]
    child = quiet([*command, "--broker", f"mqtt://127.0.0.1:{port}", "--database", url])
    try:
        yield child
    finally:
        end(child)


def station(state: Path, port: int) -> Path:
    """The configuration of a station that delivers what is in `state`."""
    path = state.with_name(state.name + ".yaml")
    path.write_text(CONFIG.format(state=state, port=port))
    return path


def quiet(command: list[str]) -> subprocess.Popen[bytes]:
    """A child that says nothing."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and wait."""
    child.send_signal(signal.SIGTERM)
    child.wait()


def wait_for(port: int) -> None:
    """Until somebody listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.05)


def ours(folder: Path, line: Path, url: str, records: int) -> float:
    """Records a second, from the start of `sync` until it knows that all are committed."""
    state = folder / f"state-{uuid.uuid4()}"
    state.mkdir()
    shutil.copy(line, state / "line.db")
    # a broker of its own: what collectors say is retained, and would be believed the next time
    with broker(state) as port, collector(url, port):
        command = [sys.executable, "-m", "edge", "sync", "--until-empty"]
        began = time.perf_counter()
        subprocess.run([*command, "-c", str(station(state, port))], check=True, capture_output=True)
        taken = time.perf_counter() - began
    shutil.rmtree(state)
    return records / taken


@contextmanager
def one_connection(port: int, room: threading.Semaphore) -> Iterator[Any]:
    """A plain paho client, without delays for small packets; each PUBACK makes room."""
    import paho.mqtt.client as paho

    connected = threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(65_535)
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: room.release()

    def opened(client: Any, data: Any, connection: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    client.on_socket_open = opened
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait()
    yield client
    client.disconnect()
    client.loop_stop()


def one_a_message(bodies: list[bytes], port: int) -> float:
    """Records a second, each a message of its own, until the broker has acknowledged all."""
    room = threading.Semaphore(IN_FLIGHT)
    with one_connection(port, room) as client:
        began = time.perf_counter()
        for body in bodies:
            room.acquire()
            client.publish(TOPIC, body, qos=1)
        for _ in range(IN_FLIGHT):
            room.acquire()
        return len(bodies) / (time.perf_counter() - began)


def mosquitto_pub(lines: bytes, count: int, port: int) -> float:
    """Records a second of `mosquitto_pub -l`, QoS 1."""
    command = ["mosquitto_pub", "-p", str(port), "-t", TOPIC, "-q", "1", "-V", "5", "-l"]
    began = time.perf_counter()
    subprocess.run(command, input=lines, check=True, capture_output=True)
    return count / (time.perf_counter() - began)


def raw_sqlite(bodies: list[bytes], path: Path) -> float:
    """Records a second into a table of a fresh database, 1,000 a transaction, FULL."""
    bare = Bare(path)
    found = rate(bare.ready_made, [(body.decode(),) for body in bodies])
    bare.database.close()
    return found


def measure(folder: Path, port: int, slices: int, records: int, server: Postgres | None) -> None:
    """One slice of each side in turn; medians and ratios."""
    line = folder / "line.db"
    fill(line, records)
    with sqlite3.connect(line) as database:
        bodies = [body for (body,) in database.execute("SELECT body FROM records ORDER BY seq")]
    few = bodies[: records // 4]
    sides: dict[str, Callable[[], float]] = {
        "ours, SQLite": lambda: ours(
            folder, line, f"sqlite:///{folder / f'{uuid.uuid4()}.db'}", records
        ),
        "paho, one a message": lambda: one_a_message(few, port),
        "raw sqlite3": lambda: raw_sqlite(bodies, folder / f"raw-{uuid.uuid4()}.db"),
    }
    if shutil.which("mosquitto_pub"):
        joined = b"\n".join(few) + b"\n"
        sides["mosquitto_pub -l"] = lambda: mosquitto_pub(joined, len(few), port)
    else:
        print("skipped: no mosquitto_pub here (apt-get install mosquitto-clients)")
    if server is not None:
        sides["ours, PostgreSQL"] = lambda: ours(folder, line, server.create(), records)
    else:
        print("skipped: no PostgreSQL here (apt-get install postgresql)")
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(slices):
        for name, side in sides.items():
            rates[name].append(side())
    for name, found in rates.items():
        print(f"{name:20s} {statistics.median(found):9,.0f} records/s", flush=True)
    for name in [name for name in rates if name.startswith("ours")]:
        pairs = zip(rates[name], rates["paho, one a message"], strict=True)
        ratio = statistics.median(mine / other for mine, other in pairs)
        aim = "  (aim ≥ 2.5)" if "SQLite" in name else ""
        print(f"figure 9  drain, {name} ÷ paho, one a message: {ratio:.2f}{aim}", flush=True)


def run(where: Path, slices: int, records: int) -> None:
    """Measure in a folder that is removed afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where))).resolve()
        server = stack.enter_context(running_postgres()) if find_programs() else None
        port = stack.enter_context(broker(folder))
        measure(folder, port, slices, records, server)


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=3)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", default=".", help="where the databases are made")
    options = parser.parse_args()
    if find_mosquitto() is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    run(Path(options.folder), options.slices, options.records)


if __name__ == "__main__":
    main()
