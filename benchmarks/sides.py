"""Both sides of `line.py`: each role runs in a process of its own and prints one result.

python benchmarks/sides.py ROLE '{"argument": …}'
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

PACE = 20.0
"""Parts per second of the paced runs."""


def run(role: str, **arguments: Any) -> Any:
    """Run one role in a fresh process; its result."""
    command = [sys.executable, str(Path(__file__)), role, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise SystemExit(f"{role} failed:\n{done.stderr[-2000:]}")


def wrap(model: str, out: str) -> str:
    """Wrap the ImageNet model; what is good does not matter for its speed."""
    command = [str(Path(sys.executable).with_name("edge-inspect")), "model", "wrap", model]
    command += ["--out", out, "--good", "tabby", "--rest", "defect", "--name", "mobilenet"]
    subprocess.run(command, check=True, capture_output=True)
    return out


def make_pictures(out: str, width: int, height: int, count: int) -> int:
    """JPEGs of the simulated line, as files."""
    from camera.synthetic import SyntheticSource

    folder = Path(out)
    if folder.exists():
        return count
    folder.mkdir(parents=True)
    source = SyntheticSource(seed=5, width=width, height=height, limit=count, encode=True)
    source.open()
    while (frame := source.read()) is not None:
        assert frame.encoded is not None
        (folder / f"{frame.number:05d}.jpg").write_bytes(frame.encoded)
    return count


def config_for(
    state: str,
    pictures: str,
    bundle: str,
    broker: str = "",
    acknowledge: str = "broker",
    page: int = 0,
) -> Any:
    """A station over a folder, everything on."""
    from edge.config_file import parse

    folder = Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"""
station: {{site: bench, line: line, name: station}}
state_dir: {state}
camera: {{source: folder, path: {pictures}, loop: true}}
model: {{bundle: "{bundle}", deadline_ms: 0}}
decision: {{automation: partial, accept_below: 0.3, reject_above: 0.7, allow_uncertified: true}}
storage: {{images: escalated+rejected+random}}
"""
    if broker:
        text += f'sync: {{broker: "{broker}", acknowledge: {acknowledge}}}\n'
    if page:
        text += f'web: {{listen: "127.0.0.1:{page}", lock_after_s: 86400}}\n'
    (folder / "edge-inspect.yaml").write_text(text)
    return parse(text.encode(), folder / "edge-inspect.yaml")


def line_throughput(state: str, pictures: str, bundle: str, parts: int) -> float:
    """Parts per second of the whole line, from its first part to the last one on disk."""
    from edge.wiring import build

    line = build(config_for(state, pictures, bundle), most=parts)
    began: list[int] = []
    appliance = line._appliance
    original = appliance.inspector._inspect

    def first(frame: Any) -> None:
        if not began:
            began.append(time.monotonic_ns())
        original(frame)

    appliance.inspector._inspect = first  # type: ignore[method-assign]
    line.run()
    assert appliance.recorder.inspections == parts
    return parts * 1e9 / (time.monotonic_ns() - began[0])


def bare_throughput(pictures: str, bundle: str, parts: int) -> float:
    """Parts per second of decode + preprocess + invoke, in one loop, in one thread."""
    import cv2

    files = [path.read_bytes() for path in sorted(Path(pictures).glob("*.jpg"))]
    infer = bare_model(bundle)
    decode = decoder()
    infer(decode(files[0]))
    began = time.perf_counter()
    for number in range(parts):
        infer(decode(files[number % len(files)]))
    assert cv2.getNumThreads() == 1
    return parts / (time.perf_counter() - began)


def decoder() -> Callable[[bytes], Any]:
    """Bytes to BGR pixels, one thread."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    return lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def bare_model(bundle: str) -> Callable[[Any], Any]:
    """Preprocess and invoke in this process, with our own fast preprocessing."""
    from edge import bundles
    from inference.bundle import load
    from inference.interpreter import Interpreter
    from inference.preprocess import Preprocessor

    loaded = load(bundles.folder(bundle))
    interpreter = Interpreter(loaded.model, 1)
    preprocess = Preprocessor(loaded.spec.input)
    return lambda image: interpreter.run(preprocess(image))


def bare_latency(pictures: str, bundle: str, seconds: float) -> dict[str, float]:
    """Preprocess + invoke of decoded pictures at a fixed pace."""
    decode = decoder()
    files = sorted(Path(pictures).glob("*.jpg"))[:16]
    images = [decode(path.read_bytes()) for path in files]
    infer = bare_model(bundle)
    infer(images[0])
    taken = []
    tick = time.monotonic()
    for number in range(int(seconds * PACE)):
        tick += 1 / PACE
        time.sleep(max(0.0, tick - time.monotonic()))
        image = images[number % len(images)].copy()
        began = time.perf_counter()
        infer(image)
        taken.append((time.perf_counter() - began) * 1e3)
    return percentiles(taken)


def line_latency(
    state: str,
    pictures: str,
    bundle: str,
    seconds: float,
    waiting: int = 60_000,
    acknowledge: str = "broker",
    tablets: int = 0,
    real_time: bool = False,
) -> dict[str, float]:
    """Frame to decision of the whole line at the same pace, while a backlog drains.

    To a collector where it is to acknowledge: then also how the drain went (see `drain`). With
    `tablets`, so many have the page open meanwhile; they run at the lowest priority, since in a
    plant they are other machines. `real_time`: the line and its child are scheduled as the option
    in the line's unit does.
    """
    import signal

    from edge.demo.station import find_mosquitto, free_port

    port = free_port() if find_mosquitto() else None
    broker = f"mqtt://127.0.0.1:{port}" if port else ""
    page = free_port() if tablets else 0
    config = config_for(state, pictures, bundle, broker, acknowledge, page)
    backlog(config, waiting if port else 0)
    children, watcher = [], None
    if port:
        children.append(start(mosquitto(Path(state), port)))
        if acknowledge == "collector":
            serve = [sys.executable, "-m", "edge", "fleet", "serve", "--collect-only"]
            central = f"{state}/central.db"
            children.append(
                start([*serve, "--broker", broker, "--database", f"sqlite:///{central}"])
            )
        file = str(Path(state, "edge-inspect.yaml"))
        sync = [sys.executable, "-m", "edge", "sync", "-c", file]
        children.append(start(["nice", "-n", "10", *sync]))
        if acknowledge == "collector":
            told = {"central": central, "waiting": waiting, "pid": children[-1].pid}
            command = [sys.executable, str(Path(__file__)), "drain", json.dumps(told)]
            watcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if tablets:
        children += open_page(config, page, tablets)
    try:
        if real_time:  # from here on, so that only the line's threads and its child inherit it
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        figures = paced_line(config, pictures, seconds)
        figures["drained"] = acknowledged(Path(state))
        if watcher is not None:
            said = watcher.communicate()[0]
            figures.update(json.loads(said.removeprefix("RESULT ")))
        return figures
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
            child.wait()


def open_page(config: Any, port: int, tablets: int) -> list[subprocess.Popen[bytes]]:
    """The page, as its unit runs it, and tablets that use it."""
    import http.client

    from benchmarks.tablets import let_in

    let_in(config)
    command = [
        sys.executable,
        "-m",
        "edge",
        "web",
        "-c",
        str(config.state_dir / "edge-inspect.yaml"),
    ]
    children = [start(["nice", "-n", "10", *command])]
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
    users = [sys.executable, str(Path(__file__).with_name("tablets.py")), told]
    return [*children, start(["nice", "-n", "19", *users])]


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


def resident(pid: int, which: str) -> float:
    """A figure of memory in /proc/PID/status (man 5 proc), in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which + ":")) / 1000


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """A quiet child."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def acknowledged(state: Path) -> float:
    """How far delivery is."""
    try:
        return float(
            json.loads((state / "status" / "sync.json").read_text())["acknowledged"]["line"]["seq"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def backlog(config: Any, count: int) -> None:
    """Records that wait for delivery."""
    from dataclasses import replace

    from edge.clock import Clock, boot_id
    from edge.records import Inspection, Origin
    from edge.store.journal import Journal

    clock = Clock()
    origin = Origin(config.station.path, boot_id(), config.digest, "bench")
    journal = Journal.open(config.state_dir / "line.db", origin.boot_id, clock.monotonic_ns())
    made = Inspection("", origin, clock.moment(), "accept", "confident", "partial", score=0.1)
    for _ in range(count // 1000):
        journal.append([replace(made, id=clock.new_id()) for _ in range(1000)])
    journal.close()


def paced_line(config: Any, pictures: str, seconds: float) -> dict[str, float]:
    """Run the line on a live source that gives decoded pictures at the pace."""
    from camera.frame import Frame
    from camera.source import Source
    from edge import cameras
    from edge.records import Inspection
    from edge.wiring import build

    decode = decoder()
    images = [decode(path.read_bytes()) for path in sorted(Path(pictures).glob("*.jpg"))[:16]]

    class Paced(Source):
        live = True
        number = 0
        tick = 0.0

        def open(self) -> None:
            self.tick = time.monotonic()

        def close(self) -> None: ...

        def view(self) -> dict[str, object]:
            return {"bench": "paced"}

        def read(self) -> Frame | None:
            if self.number >= seconds * PACE:
                return None
            self.tick += 1 / PACE
            time.sleep(max(0.0, self.tick - time.monotonic()))
            image = images[self.number % len(images)].copy()
            self.number += 1
            return Frame(image, time.monotonic_ns(), time.time(), self.number)

    cameras.source = lambda camera: Paced()
    line = build(config)
    made: list[Inspection] = []

    class Output:
        def tell(self, inspection: Inspection) -> None:
            made.append(inspection)

    line._appliance.inspector.desk.output = Output()
    line.run()
    decided = [one for one in made if one.score is not None]
    assert len(decided) > 0.9 * seconds * PACE, "the line did not keep the pace"
    figures = percentiles([one.latency.total for one in decided])
    for key in ("quality", "inference"):
        figures[key] = statistics.median(getattr(one.latency, key) for one in decided)
    return figures


def percentiles(taken: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(taken)
    return {"p50": statistics.median(ordered), "p99": ordered[int(0.99 * (len(ordered) - 1))]}


def line_memory(state: str, pictures: str, bundle: str) -> float:
    """PSS of the line process and its child in MB, once it has run for a while."""
    from edge.wiring import build

    line = build(config_for(state, pictures, bundle), most=400)
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            child = line._appliance.model.pid if line._appliance.model else None  # type: ignore[attr-defined]
            seen.append(pss(os.getpid()) + (pss(child) if child else 0.0))

    watcher = threading.Thread(target=look)
    watcher.start()
    line.run()
    over.set()
    watcher.join()
    return max(seen)


def bare_memory() -> float:
    """PSS of a process that has only imported what any such program imports, in MB."""
    import cv2
    import numpy

    from inference.interpreter import Interpreter

    assert all((cv2, numpy, Interpreter))
    return pss(os.getpid())


def pss(pid: int) -> float:
    """Proportional set size in MB (man 5 proc, smaps_rollup); 0 for a process that has gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    kilobytes = next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return int(kilobytes) / 1000


ROLES: dict[str, Callable[..., Any]] = {
    "wrap": wrap,
    "pictures": make_pictures,
    "line_throughput": line_throughput,
    "bare_throughput": bare_throughput,
    "line_latency": line_latency,
    "bare_latency": bare_latency,
    "drain": drain,
    "line_memory": line_memory,
    "bare_memory": bare_memory,
}

if __name__ == "__main__":
    print("RESULT " + json.dumps(ROLES[sys.argv[1]](**json.loads(sys.argv[2]))))
