"""What the line notices of a model of 5 MB that is pushed, tried, switched to and rolled back.

    python benchmarks/rollout.py [--quick] [--case 0] [--slices 8] [--seconds 3] [--rate]

Decision p50 and p99 ÷ those of bare preprocess + invoke at the same pace (figures 3 and 4), in
slices that take turns, by what goes on meanwhile:

    idle      the line, its sync and a broker; no candidate
    push      downloads of a 5 MB bundle one after the other, as fast as the broker gives them
    install   unpacking, proving on this machine, cuts from its own labelled pictures
    shadow    the newcomer answers parts that are over, within its share of a core
    canary    it decides half of the parts; each is compared with the other
    switch    it is active, on trial, is rolled back, and 2.5 s from then on

The newcomer computes what the active model does. The shadow's share of one core is measured from
outside: processor time of its thread and of its children ÷ time.

With `--rate` the line gets its next part as soon as it takes it; then parts/s ÷ those of `idle`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.line import Case, find_cases
from benchmarks.sides.pace import PACE, percentiles
from benchmarks.sides.role import run

PHASES = ("idle", "push", "install", "shadow", "canary", "switch")
TARGETS = (
    "max_escape: 0.3, max_overkill: 0.3, confidence: 0.8",
    "max_escape: 0.9, max_overkill: 0.9, confidence: 0.8",
)
"""The shipped model knows the simulated parts; the one from ImageNet does not, and need not."""


def role(name: str, **arguments: Any) -> Any:
    """One role of `newcomer.py` in a fresh process; its result."""
    file = str(Path(__file__).with_name("newcomer.py"))
    command = [sys.executable, file, name, json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")


def measure(
    folder: Path, case: Case, targets: str, slices: int, seconds: float, rate: bool
) -> None:
    """All slices of one case, and what they say."""
    pictures = folder / f"pictures-{case.width}"
    run("pictures", out=str(pictures), width=case.width, height=case.height, count=60)
    about = {"pictures": str(pictures), "bundle": case.bundle}
    here = folder / f"case-{case.width}"
    here.mkdir()
    size = {"width": case.width, "height": case.height}
    prepared = role("prepare", folder=str(here), targets=targets, **about, **size)
    bare, ours = [], []
    for number in range(slices):
        state = here / f"slice-{number}"
        shutil.copytree(here / "calibrated", state)
        if not rate:
            bare.append(run("bare_latency", seconds=seconds, **about))
        given = {"state": str(state), "newcomers": prepared["newcomers"], "seconds": seconds}
        given |= {"bundle": prepared["own"], "pictures": str(pictures)}
        given["pace"] = 0.0 if rate else PACE
        ours.append(role("line", targets=targets, **given))
        shutil.rmtree(state)
    pace = "as fast as it can" if rate else f"{PACE:.0f} parts/s"
    print(f"{case.name}, {pace}, newcomer of 5 MB, {slices} slices")
    for phase in PHASES:
        if rate:
            tell_rate(phase, ours)
        else:
            tell(phase, [one.get(phase) for one in ours], bare)


def tell_rate(phase: str, ours: list[Any]) -> None:
    """Parts per second in one phase: medians over the slices."""
    there = [one for one in ours if phase in one and one[phase]["effort"][0] > 0]
    rates = [(_rate(one[phase]), _rate(one["idle"])) for one in there]
    ratio = statistics.median(mine / idle for mine, idle in rates)
    mine, idle = (statistics.median(side) for side in zip(*rates, strict=True))
    lost = sum(one[phase]["overruns"] + one[phase]["faults"] for one in there)
    print(
        f"  {phase:8s} {mine:7.1f} ÷ {idle:7.1f} parts/s = {ratio:.3f}; overruns and faults {lost};"
        f" {compared([one[phase] for one in there])}",
        flush=True,
    )


def _rate(one: Any) -> float:
    return float((len(one["ms"]) + one["faults"]) / one["effort"][0])


def compared(there: list[Any]) -> str:
    """What comparing took, in words."""
    seconds = sum(one["effort"][0] for one in there)
    share = statistics.median(one["effort"][1] / max(one["effort"][0], 1e-9) for one in there)
    pairs = sum(one["pairs"] for one in there) / max(seconds, 1e-9)
    return f"comparing {share:.3f} of a core, {pairs:.1f} pairs/s"


def tell(phase: str, ours: list[Any], bare: list[Any]) -> None:
    """One phase: medians over the slices, and over all parts of all slices."""
    there = [(one, other) for one, other in zip(ours, bare, strict=True) if one and one["ms"]]
    words = []
    for key in ("p50", "p99"):
        sides = [(percentiles(one["ms"])[key], other[key]) for one, other in there]
        ratio = statistics.median(mine / other for mine, other in sides)
        mine, other = (statistics.median(side) for side in zip(*sides, strict=True))
        words.append(f"{key} {mine:6.2f} ÷ {other:5.2f} = {ratio:5.2f}")
    every = [ms for one, _ in there for ms in one["ms"]]
    lost = {key: sum(one[key] for one, _ in there) for key in ("overruns", "faults")}
    print(
        f"  {phase:8s} {'; '.join(words)}; of all {len(every)}: p99"
        f" {percentiles(every)['p99']:.2f}, max {max(every):.2f} ms;"
        f" overruns {lost['overruns']}, faults {lost['faults']}\n"
        f"           {compared([one for one, _ in there])}",
        flush=True,
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 slices")
    parser.add_argument("--case", type=int, default=0, help="0: 640x480, 1: 1080p")
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--rate", action="store_true", help="parts/s instead")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each phase")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edge-inspect-bench-") as name:
        folder = Path(name)
        case = list(find_cases(folder))[options.case]
        slices = 2 if options.quick else options.slices
        measure(folder, case, TARGETS[options.case], slices, options.seconds, options.rate)
    load = os.getloadavg()
    print(f"{time.monotonic() - began:.0f} s; load of the machine {load[0]:.1f} {load[1]:.1f}")


if __name__ == "__main__":
    main()
