"""The whole line process against bare code, side by side in one run: figures 2, 3, 4, 12, 13.

    python benchmarks/line.py [--quick]

Each side runs in a process of its own, in turn with the other, so that a machine that changes its
speed changes it for both. What is printed is the median over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.sides.pace import PACE
from benchmarks.sides.role import run

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "tflite"


@dataclass(frozen=True)
class Case:
    """A picture size and a bundle."""

    name: str
    width: int
    height: int
    bundle: str


def main() -> None:
    """Everything, in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and parts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-inspect-bench-") as folder:
        measure(Path(folder), options.quick)


def measure(folder: Path, quick: bool) -> None:
    """Every figure, printed as it comes."""
    rounds, parts, seconds = (3, 200, 3.0) if quick else (7, 600, 6.0)
    cases = list(find_cases(folder))
    for case in cases:
        throughput(folder, case, rounds, parts)
    for case in cases:
        latency(folder, case, rounds + 1, seconds)
    help_time(5 if quick else 15)
    for case in cases:
        memory(folder, case)


def find_cases(folder: Path) -> Iterator[Case]:
    """640×480 with the shipped model, 1080p with a 224 px one where it is there."""
    yield Case("640x480 JPEG, shipped 96 px int8", 640, 480, "@rings")
    model = SHARED / "mobilenet_v1_0.25_224_quant_meta.tflite"
    if not model.exists():
        print(f"skipped: 1080p with 224 px int8, no {model.name} here")
        return
    run("wrap", model=str(model), out=str(folder / "mobilenet"))
    yield Case("1920x1080 JPEG, mobilenet 0.25 224 px uint8", 1920, 1080, str(folder / "mobilenet"))


def throughput(folder: Path, case: Case, rounds: int, parts: int) -> None:
    """Figure 2."""
    pictures = folder / f"pictures-{case.width}"
    run("pictures", out=str(pictures), width=case.width, height=case.height, count=60)
    ratios, ours, bare = [], [], []
    for number in range(rounds):
        line = run(
            "line_throughput",
            state=str(folder / f"t-{case.width}-{number}"),
            pictures=str(pictures),
            bundle=case.bundle,
            parts=parts,
        )
        loop = run("bare_throughput", pictures=str(pictures), bundle=case.bundle, parts=parts)
        ours.append(line)
        bare.append(loop)
        ratios.append(line / loop)
    show(2, "parts/s ÷ bare loop", case.name, ours, bare, ratios, "≥ 0.90")


def latency(folder: Path, case: Case, slices: int, seconds: float) -> None:
    """Figures 3 and 4: paced, with a backlog that drains to a real broker where there is one."""
    from edge.demo.station import find_mosquitto

    pictures = folder / f"pictures-{case.width}"
    busy = "backlog draining, pictures kept" if find_mosquitto() else "no broker, pictures kept"
    p50s, p99s, ours, bare = [], [], [], []
    for number in range(slices):
        loop = run("bare_latency", pictures=str(pictures), bundle=case.bundle, seconds=seconds)
        line = run(
            "line_latency",
            state=str(folder / f"l-{case.width}-{number}"),
            pictures=str(pictures),
            bundle=case.bundle,
            seconds=seconds,
        )
        ours.append(line)
        bare.append(loop)
        p50s.append(line["p50"] / loop["p50"])
        p99s.append(line["p99"] / loop["p99"])
    name = f"{case.name}, {PACE:.0f} parts/s, {busy}"
    show(3, "decision p50 ms ÷ bare", name, *columns(ours, bare, "p50"), p50s, "≤ 1.15")
    show(4, "decision p99 ms ÷ bare", name, *columns(ours, bare, "p99"), p99s, "≤ 2.5")
    parts = {key: statistics.median(one[key] for one in ours) for key in ("quality", "inference")}
    drained = statistics.median(one["drained"] for one in ours)
    print(
        f"     medians: quality {parts['quality']:.3f} ms, inference {parts['inference']:.3f} ms;"
    )
    print(f"     records drained meanwhile {drained:.0f}; with the page in use: benchmarks/page.py")


def columns(ours: list[Any], bare: list[Any], key: str) -> tuple[list[float], list[float]]:
    """One figure of both sides."""
    return [one[key] for one in ours], [one[key] for one in bare]


def help_time(rounds: int) -> None:
    """Figure 12."""
    command = [str(Path(sys.executable).with_name("edge-inspect")), "--help"]
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(timed(command))
        bare.append(timed([sys.executable, "-c", "pass"]))
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    show(12, "`--help` s ÷ bare python", "whole process", ours, bare, ratios, "≤ 0.15 s")


def memory(folder: Path, case: Case) -> None:
    """Figure 13."""
    pictures = str(folder / f"pictures-{case.width}")
    state = str(folder / f"m-{case.width}")
    line = run("line_memory", state=state, pictures=pictures, bundle=case.bundle)
    bare = run("bare_memory")
    aim = "≤ 2.5 and ≤ 150 MB at 1080p"
    show(13, "PSS MB line + child ÷ imports", case.name, [line], [bare], [line / bare], aim)


def timed(command: list[str]) -> float:
    """Wall seconds of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def show(
    figure: int,
    what: str,
    case: str,
    ours: list[float],
    bare: list[float],
    ratios: list[float],
    aim: str,
) -> None:
    """One figure with both sides."""
    middle = statistics.median
    print(
        f"{figure:>3}. {what}: {middle(ours):.3f} ÷ {middle(bare):.3f} = {middle(ratios):.3f}"
        f" (from {min(ratios):.3f} to {max(ratios):.3f}; aim {aim})\n     {case}",
        flush=True,
    )


if __name__ == "__main__":
    main()
