"""The operators' page on a full station: how long the server takes, and what the line notices.

    python benchmarks/page.py [--past 1000000] [--waiting 10000] [--rounds 100] [--folder .]

First `edge-inspect web` on a station with a million past inspections and ten thousand parts that
wait: every page and every question of the API, as a browser asks (aim: under 200 ms each); beside
each the same server giving back a small fixed file, asked in turn with it. Then verdicts, from the
request to the answer that says *recorded* (aim: under 100 ms), beside one bare durable row in
SQLite on the same disk. With `--line`, figures 3 and 4 instead, with and without ten tablets.
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.line import find_cases, show
from benchmarks.sides.pace import PACE
from benchmarks.sides.role import run
from benchmarks.sides.station import config_for
from benchmarks.store import part
from benchmarks.tablets import Tablet, let_in
from edge.clock import Clock, boot_id
from edge.demo.station import free_port
from edge.store.escalations import Deadline
from edge.store.journal import Journal

TOGETHER = 500
A_MONTH_S = 30 * 24 * 3600.0
DOUBT = {"name": "blurred", "measured": 1.0, "limit": 2.0}


def fill(config: Any, past: int, waiting: int) -> None:
    """Inspections with their dispositions, and behind them parts that wait for a person."""
    clock = Clock()
    journal = Journal.open(config.state_dir / "line.db", boot_id(), clock.monotonic_ns())
    began = clock.wall() - past / 10
    for start in range(0, past, TOGETHER):
        records = []
        for number in range(start, min(past, start + TOGETHER)):
            inspection, disposition = part(number)
            moment = replace(inspection.captured, wall=began + number / 10)
            score = (number % 1000) / 1000
            records += [replace(inspection, captured=moment, image=None, score=score)]  # type: ignore[type-var]
            records += [replace(disposition, decided=moment)]  # type: ignore[type-var]
        journal.append(records)
    for start in range(0, waiting, TOGETHER):
        asked, deadlines = [], {}
        for number in range(past + start, past + start + min(TOGETHER, waiting - start)):
            made = replace(
                part(number)[0],  # type: ignore[type-var]
                id=clock.new_id(),
                captured=clock.moment(),
                decision="escalate",
                reason="doubt" if number % 2 else "uncertain",
                doubts=(DOUBT,) if number % 2 else (),
                asked=True,
                image=None,
            )
            asked.append(made)
            due_ns = clock.monotonic_ns() + int(A_MONTH_S * 1e9) + number
            deadlines[made.id] = Deadline(due_ns, A_MONTH_S)
        journal.append(asked, deadlines=deadlines)
    journal.close()


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def told(what: str, ours: list[float], bare: list[float], aim: str) -> None:
    """One line: median and slowest of ours, median of the bare side."""
    ordered = sorted(ours)
    print(
        f"  {what:<58} p50 {statistics.median(ours):7.2f} ms  p99"
        f" {ordered[int(0.99 * (len(ordered) - 1))]:7.2f}  max {max(ours):7.2f}"
        f"  (bare {statistics.median(bare):.2f}; aim {aim})",
        flush=True,
    )


def asked_for(old: str) -> list[str]:
    """What a browser asks for, with the worst searches that the page can make."""
    return [
        "/api/v1/health",
        "/queue",
        "/api/v1/queue",
        "/line",
        "/api/v1/figures",
        "/history",
        "/api/v1/inspections",
        "/api/v1/inspections?decision=reject",
        "/api/v1/inspections?score_min=0.9985&score_max=0.9986",
        "/api/v1/inspections?part=P-4711",
        "/api/v1/inspections?part=nothing",
        "/api/v1/inspections?verdict=accept",
        f"/api/v1/inspections?until={old}&decision=accept",
        "/people",
        "/settings",
    ]


def pages(tablet: Tablet, rounds: int, old: str) -> None:
    """Every page and question, in turn with a fixed file."""
    for path in asked_for(old):
        ours, bare = [], []
        tablet.ask("GET", path)
        for _ in range(rounds):
            ours.append(timed(lambda path=path: tablet.ask("GET", path)))  # type: ignore[misc]
            bare.append(timed(lambda: tablet.ask("GET", "/static/icon.svg")))
        told(path, ours, bare, "< 200")


def verdicts(tablet: Tablet, folder: Path, rounds: int) -> None:
    """Claims and answers, in turn with one bare durable row."""
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    claims, answers, bare = [], [], []
    for _ in range(rounds):
        claim: dict[str, Any] = {}
        claims.append(timed(lambda claim=claim: claim.update(tablet.claim() or {})))  # type: ignore[misc]
        answers.append(timed(lambda claim=claim: tablet.answer(claim)))  # type: ignore[misc]
        row = ("x" * 900,)
        bare.append(
            timed(lambda row=row: database.execute("INSERT INTO records (body) VALUES (?)", row))  # type: ignore[misc]
        )
    told("claim", claims, bare, "< 200")
    told("verdict, to the answer that it is on the disk", answers, bare, "< 100")


def wait_for(tablet: Tablet, child: subprocess.Popen[bytes], waiting: int) -> None:
    """Until the page knows of all that wait."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert child.poll() is None, "the page has ended"
        try:
            if not tablet.cookie:
                tablet.sign_in()
            if json.loads(tablet.ask("GET", "/api/v1/queue")[0])["waiting"] >= waiting:
                return
        except OSError:
            tablet.connection.close()
        time.sleep(0.02)
    raise SystemExit("the page did not see the parts that wait")


def server(folder: Path, past: int, waiting: int, rounds: int) -> None:
    """The page on a full station."""
    port = free_port()
    config = config_for(str(folder / "full"), str(folder), "@rings", page=port)
    began = time.monotonic()
    fill(config, past, waiting)
    let_in(config)
    size = (config.state_dir / "line.db").stat().st_size / 1e9
    print(
        f"{past:,} past inspections, {waiting:,} waiting: {size:.1f} GB in"
        f" {time.monotonic() - began:.0f} s"
    )
    file = str(config.state_dir / "edge-inspect.yaml")
    child = subprocess.Popen([sys.executable, "-m", "edge", "web", "-c", file])
    tablet = Tablet(f"127.0.0.1:{port}")
    try:
        began = time.monotonic()
        wait_for(tablet, child, waiting)
        memory = next(
            int(line.split()[1]) / 1000
            for line in Path(f"/proc/{child.pid}/smaps_rollup").read_text().splitlines()
            if line.startswith("Pss:")
        )
        print(
            f"ready with all that wait after {time.monotonic() - began:.2f} s; PSS {memory:.0f} MB"
        )
        old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - past / 20))
        pages(tablet, rounds, old)
        verdicts(tablet, folder, rounds)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


def line(folder: Path, slices: int, seconds: float) -> None:
    """Figures 3 and 4 while a backlog drains and pictures are kept: without the page, with ten
    tablets, and with ten tablets and real-time scheduling (where this account may)."""
    for case in find_cases(folder):
        pictures = folder / f"pictures-{case.width}"
        run("pictures", out=str(pictures), width=case.width, height=case.height, count=60)
        bare: list[Any] = []
        ours: dict[str, list[Any]] = {name: [] for name in STATES}
        for number in range(slices):
            told = {"pictures": str(pictures), "bundle": case.bundle, "seconds": seconds}
            bare.append(run("bare_latency", **told))
            for name, more in STATES.items():
                state = str(folder / f"{name.replace(' ', '-')}-{case.width}-{number}")
                ours[name].append(run("line_latency", state=state, **more, **told))
        for name in STATES:
            tell_line(
                f"{case.name}, {PACE:.0f} parts/s, backlog draining, {name}", ours[name], bare
            )


STATES: dict[str, dict[str, Any]] = {
    "no page": {},
    "10 tablets": {"tablets": 10},
    "10 tablets, line in real time": {"tablets": 10, "real_time": True},
}


def tell_line(name: str, ours: list[Any], bare: list[Any]) -> None:
    """Both figures of one state."""
    for figure, key, aim in ((3, "p50", "≤ 1.15"), (4, "p99", "≤ 2.5, real time ≤ 1.5")):
        sides = [one[key] for one in ours], [one[key] for one in bare]
        ratios = [one / other for one, other in zip(*sides, strict=True)]
        show(figure, f"decision {key} ms ÷ bare", name, *sides, ratios, aim)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--past", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--line", action="store_true", help="figures 3 and 4 instead")
    parser.add_argument("--folder", default=".", help="where the databases are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        where = Path(folder).resolve()
        if options.line:
            line(where, options.slices, 6.0)
        else:
            server(where, options.past, options.waiting, options.rounds)


if __name__ == "__main__":
    main()
