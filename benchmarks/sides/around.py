"""What stands around the line: a broker, a collector and its drain, the page and its tablets."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.sides.memory import resident
from benchmarks.sides.role import start

Child = subprocess.Popen[bytes]


def delivery(state: Path, broker: str, port: int, central: str = "") -> list[Child]:
    """A broker and the station's sync, which is the last of them; a collector besides, where there
    is to be a central database."""
    children = [start(mosquitto(state, port))]
    edge = [sys.executable, "-m", "edge"]
    if central:
        collect = [*edge, "fleet", "serve", "--collect-only", "--broker", broker]
        children.append(start([*collect, "--database", f"sqlite:///{central}"]))
    sync = [*edge, "sync", "-c", str(state / "edge-inspect.yaml")]
    return [*children, start(["nice", "-n", "10", *sync])]


def mosquitto(folder: Path, port: int) -> list[str]:
    """The command of a broker with settings as docs/brokers.md wants them."""
    from edge.demo.station import find_mosquitto

    settings = folder / "mosquitto.conf"
    lines = ("set_tcp_nodelay true", "max_queued_messages 0", f"listener {port} 127.0.0.1")
    settings.write_text("\n".join((*lines, "allow_anonymous true", "")))
    return [str(find_mosquitto()), "-c", str(settings)]


def drain(central: str, waiting: int, pid: int) -> dict[str, float]:
    """Watch a backlog of `waiting` records arrive in a central database.

    Seconds until the first new record, and until the last of the backlog, both from now; the
    resident memory of the process `pid` when the first record had come, and the most it ever had.
    """
    import sqlite3

    began, found, database = time.monotonic(), dict[str, float](), None
    while "drained_s" not in found:
        time.sleep(0.05)
        if database is None:
            if not Path(central).exists():
                continue
            database = sqlite3.connect(f"file:{central}?mode=ro", uri=True)
        try:
            through = database.execute("SELECT max(through) FROM chains").fetchone()[0] or 0
            new = database.execute("SELECT 1 FROM records WHERE seq > ? LIMIT 1", (waiting,))
            if new.fetchone():
                found.setdefault("first_new_s", time.monotonic() - began)
        except sqlite3.OperationalError:
            continue  # the tables are not there yet
        if through:
            found.setdefault("first_mb", resident(pid, "VmRSS"))
        if through >= waiting:
            found["drained_s"] = time.monotonic() - began
    found["most_mb"] = resident(pid, "VmHWM")
    return found


def open_page(config: Any, port: int, tablets: int) -> list[Child]:
    """The page, as its unit runs it, and tablets that use it."""
    import http.client

    from benchmarks.tablets import let_in

    let_in(config)
    web = [sys.executable, "-m", "edge", "web", "-c", str(config.state_dir / "edge-inspect.yaml")]
    children = [start(["nice", "-n", "10", *web])]
    while True:
        try:
            probe = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            probe.request("GET", "/api/v1/health")
            probe.getresponse()
            break
        except OSError:
            assert children[0].poll() is None, "the page has ended"
            time.sleep(0.05)
    told = json.dumps({"address": f"127.0.0.1:{port}", "tablets": tablets})
    users = [sys.executable, str(Path(__file__).parents[1] / "tablets.py"), told]
    return [*children, start(["nice", "-n", "19", *users])]
