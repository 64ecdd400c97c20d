"""A million records of backlog, drained to a collector while the line works: figures 3 and 4 then.

Everything is real and on this machine: the line at 20 parts a second, `edge-inspect sync` (nice 10,
as its unit runs it), mosquitto, and `edge-inspect fleet serve --collect-only` with SQLite. The bare
side is preprocess + invoke of the same pictures at the same pace, just before. Seconds count from
the start of sync.

    python benchmarks/backlog.py [--records 1000000] [--seconds 40] [--folder .]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.line import find_cases, show
from benchmarks.sides.pace import PACE
from benchmarks.sides.role import run
from edge.demo.station import find_mosquitto


def measure(folder: Path, records: int, seconds: float) -> None:
    """Fill, drain, print."""
    case = next(find_cases(folder))
    pictures = folder / f"pictures-{case.width}"
    run("pictures", out=str(pictures), width=case.width, height=case.height, count=60)
    loop = run("bare_latency", pictures=str(pictures), bundle=case.bundle, seconds=seconds / 2)
    line = run(
        "line_latency",
        state=str(folder / "backlog"),
        pictures=str(pictures),
        bundle=case.bundle,
        seconds=seconds,
        waiting=records,
        acknowledge="collector",
    )
    grown = line["most_mb"] - line["first_mb"]
    print(f"{records:,} records committed by the collector after {line['drained_s']:.1f} s", end="")
    print(f" ({records / line['drained_s']:,.0f} records/s; aim 1,000,000 in 30 s)")
    print(f"first new record at the collector after {line['first_new_s']:.1f} s (aim 5 s)")
    print(f"memory of sync: {line['first_mb']:.0f} MB, grown by {grown:.1f} MB (aim 20 MB)")
    name = f"{case.name}, {PACE:.0f} parts/s, while this drains"
    for number, key, aim in ((3, "p50", "≤ 1.15"), (4, "p99", "≤ 2.5")):
        ratio = line[key] / loop[key]
        show(number, f"decision {key} ms ÷ bare", name, [line[key]], [loop[key]], [ratio], aim)


def run_in(where: Path, records: int, seconds: float) -> None:
    """Measure in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        measure(Path(folder).resolve(), records, seconds)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--folder", default=".", help="where the databases are made")
    options = parser.parse_args()
    if find_mosquitto() is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto")
    run_in(Path(options.folder), options.records, options.seconds)


if __name__ == "__main__":
    main()
