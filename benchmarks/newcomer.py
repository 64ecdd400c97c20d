"""A line in which a model comes and goes, for `rollout.py`.

    python benchmarks/newcomer.py ROLE '{"argument": …}'

Broker and fleet run at the lowest priority, since in a plant they are other machines; the station's
own sync at nice 10, as its unit does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

from benchmarks.conductor import AFTER_S
from benchmarks.sides.role import start
from benchmarks.sides.source import paced

VERSIONS = ("1.90.0", "1.91.0")


def config_for(state: str, pictures: str, bundle: str, targets: str, broker: str, root: str) -> Any:
    """A station over a folder, with a fleet, everything on."""
    from edge.config_file import parse

    folder = Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    text = f"""
station: {{site: bench, line: line, name: station}}
state_dir: {state}
camera: {{source: folder, path: {pictures}, loop: true}}
model: {{bundle: "{bundle}", deadline_ms: 0}}
decision: {{automation: partial, {targets}}}
storage: {{images: escalated+rejected+random}}
rollout: {{trial_parts: 100000}}
"""
    if broker:
        text += f'sync: {{broker: "{broker}", acknowledge: broker, trust_root_file: {root}}}\n'
    (folder / "edge-inspect.yaml").write_text(text)
    return parse(text.encode(), folder / "edge-inspect.yaml")


def prepare(
    folder: str, pictures: str, bundle: str, targets: str, width: int, height: int
) -> dict[str, Any]:
    """A station that has calibrated its own model, vouched for, and keeps the pictures for others;
    and some bundles of 5 MB that compute the same."""
    from edge import bundles
    from inference.bundle import load, write
    from tests.simulators.pushing import heavy

    labelled = Path(folder, "labelled")
    write_labelled(labelled, width, height)
    given = load(bundles.folder(bundle))
    manifest = replace(given.manifest, lineage={}, provenance={})
    own = str(write(Path(folder, "own"), manifest, given.model).root)
    config_for(f"{folder}/calibrated", pictures, own, targets, "", "")
    command = [sys.executable, "-m", "edge", "calibrate", str(labelled), "--apply", "--by", "bench"]
    command += ["--not-trained-on-these", "-c", f"{folder}/calibrated/edge-inspect.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cannot be calibrated: {done.stderr[-2000:]}")
    made = []
    for version in VERSIONS:
        newer = replace(manifest, version=version)
        made.append(str(heavy(Path(folder, f"heavy-{version}"), newer, given.model).root))
    return {"own": own, "newcomers": made}


def write_labelled(folder: Path, width: int, height: int, each: int = 40) -> None:
    """So many good parts and defects of the simulated line, as files."""
    import cv2

    from camera.synthetic import SyntheticSource

    source = SyntheticSource(seed=6, width=width, height=height, defect_rate=0.5)
    source.open()
    left = {"good": each, "defect": each}
    while any(left.values()) and (frame := source.read()) is not None:
        kind = (frame.truth or "none").partition("/")[0]
        if left.get(kind) and "simulated" not in frame.tags:
            left[kind] -= 1
            place = folder / str(frame.truth)
            place.mkdir(parents=True, exist_ok=True)
            assert frame.image is not None
            assert cv2.imwrite(str(place / f"{frame.number}.png"), frame.image)


class Watcher:
    """What the line does with each part, and in which phase: `parts` by phase, in order."""

    def __init__(self, line: Any) -> None:
        from edge.workers.effort import process_ns

        appliance = line._appliance
        self._models = appliance.model
        self._steward = appliance.tender._tended.helpers[-1]
        self._process_ns = process_ns
        self._active = self._models.active.digest
        self._calm_from = 0.0
        self._seen: tuple[str, float, dict[int, int]] | None = None
        self.parts: dict[str, list[Any]] = {}
        self.effort: dict[str, list[float]] = {}
        self.pairs: dict[str, int] = {}
        self._pairs = 0

    def tell(self, inspection: Any) -> None:
        """The line's output: one part has been decided."""
        now = time.monotonic()
        if self._models.active.digest != self._active:
            self._active, self._calm_from = self._models.active.digest, now + AFTER_S
        phase = self._phase(now)
        self.parts.setdefault(phase, []).append(inspection)
        self._account(phase, now)

    def _phase(self, now: float) -> str:
        one = self._steward.standing.candidate
        if now < self._calm_from or (one is not None and one.state == "active"):
            return "switch"
        if one is None:
            return "idle"
        if one.state in ("assigned", "downloading"):
            return "push"
        if one.state in ("verified", "proved") or one.calibration is None:
            return "install"
        return str(one.state)

    def _account(self, phase: str, now: float) -> None:
        """Seconds, and processor seconds of the shadow thread and of what it asks, by phase."""
        shadow, taken = self._models._shadow, dict[int, int]()
        for runner in shadow._twins:
            pid = runner.process.pid
            if pid is not None:
                taken[pid] = self._process_ns(pid) or 0
        thread = shadow._thread
        if thread is not None and thread.ident is not None:
            taken[0] = time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
        dossier = self._steward.dossier
        pairs = 0 if dossier is None else dossier.parts
        if self._seen is not None and self._seen[0] == phase:
            _, before, known = self._seen
            spent = sum(max(0, ns - known.get(pid, ns)) for pid, ns in taken.items())
            sums = self.effort.setdefault(phase, [0.0, 0.0])
            sums[0] += now - before
            sums[1] += spent / 1e9
            self.pairs[phase] = self.pairs.get(phase, 0) + max(0, pairs - self._pairs)
        self._seen, self._pairs = (phase, now, taken), pairs

    def figures(self) -> dict[str, Any]:
        """By phase: ms from frame to decision of all parts with an answer; parts without one."""
        return {
            phase: {
                "ms": [one.latency.total for one in parts if one.score is not None],
                "overruns": sum(one.reason == "overrun" for one in parts),
                "faults": sum(one.reason in ("fault", "late") for one in parts),
                "effort": self.effort.get(phase, [0.0, 0.0]),
                "pairs": self.pairs.get(phase, 0),
            }
            for phase, parts in self.parts.items()
        }


def line(
    state: str,
    pictures: str,
    bundle: str,
    targets: str,
    newcomers: list[str],
    seconds: float,
    pace: float,
) -> Any:
    """The line while a model comes and goes, on a live source at the pace, or, where that is 0, on
    one that gives the next part as soon as the line takes it; figures by phase."""
    from edge import cameras
    from edge.wiring import build

    state_dir = Path(state)
    with everybody_else(state_dir, newcomers, seconds) as (broker, root, over):
        config = config_for(state, pictures, bundle, targets, broker, root)
        view = cameras.source(config.camera).view()
        source = paced(pictures, view, pace, lambda given: not over.is_set())
        cameras.source = lambda camera: source
        made = build(config)
        watcher = Watcher(made)
        made._appliance.inspector.desk.output = watcher  # type: ignore[assignment]
        sync = [sys.executable, "-m", "edge", "sync", "-c", str(state_dir / "edge-inspect.yaml")]
        child = start(["nice", "-n", "10", *sync])
        try:
            made.run()
        finally:
            child.terminate()
            child.wait()
    return watcher.figures()


@contextmanager
def everybody_else(
    state: Path, newcomers: list[str], seconds: float
) -> Iterator[tuple[str, str, threading.Event]]:
    """The fleet in a process of its own: the address of its broker, its root, and what is set when
    it has done everything."""
    told = {"folder": str(state.with_name(state.name + "-fleet")), "newcomers": newcomers}
    file = str(Path(__file__).with_name("conductor.py"))
    command = [sys.executable, file, json.dumps({**told, "seconds": seconds})]
    fleet = subprocess.Popen(["nice", "-n", "19", *command], stdout=subprocess.PIPE, text=True)
    assert fleet.stdout is not None
    first = fleet.stdout.readline().split()
    over = threading.Event()

    def wait() -> None:
        fleet.wait()
        over.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield first[0], first[1], over
    finally:
        fleet.terminate()  # with its broker
        waiting.join()
    if fleet.returncode:
        raise SystemExit("the fleet did not get through")


ROLES = {"prepare": prepare, "line": line}

if __name__ == "__main__":
    print("RESULT " + json.dumps(ROLES[sys.argv[1]](**json.loads(sys.argv[2]))), flush=True)
