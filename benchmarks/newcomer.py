"""The two processes of `rollout.py`: a line in which a model comes and goes, and everybody else.

    python benchmarks/newcomer.py ROLE '{"argument": …}'

*Everybody else* is the broker and the fleet, at the lowest priority, since in a plant they are
other machines; the station's own sync runs at nice 10, as its unit does.
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

from benchmarks.sides import decoder, start

STATION = "bench/line/station"
AFTER_S = 2.5
"""So long after a switch its children are still ended and started."""
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
) -> list[str]:
    """A station that has calibrated its own model and keeps the pictures for others; and some
    bundles of 5 MB that compute what its own does."""
    from edge import bundles
    from inference.bundle import load
    from tests.simulators.pushing import heavy

    labelled = Path(folder, "labelled")
    write_labelled(labelled, width, height)
    config_for(f"{folder}/calibrated", pictures, bundle, targets, "", "")
    command = [sys.executable, "-m", "edge", "calibrate", str(labelled), "--apply", "--by", "bench"]
    command += ["--not-trained-on-these", "-c", f"{folder}/calibrated/edge-inspect.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cannot be calibrated: {done.stderr[-2000:]}")
    own = load(bundles.folder(bundle))
    made = []
    for version in VERSIONS:
        manifest = replace(own.manifest, version=version, lineage={})
        made.append(str(heavy(Path(folder, f"heavy-{version}"), manifest, own.model).root))
    return made


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
        if thread is not None:
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
        cameras.source = lambda camera: paced(pictures, view, pace, over)
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


def paced(pictures: str, view: dict[str, object], pace: float, over: threading.Event) -> Any:
    """A source that gives decoded pictures at the pace, until it is over."""
    from camera.frame import Frame
    from camera.source import Source

    decode = decoder()
    images = [decode(path.read_bytes()) for path in sorted(Path(pictures).glob("*.jpg"))[:16]]

    class Paced(Source):
        live = pace > 0
        number = 0
        tick = 0.0

        def open(self) -> None:
            self.tick = time.monotonic()

        def close(self) -> None: ...

        def view(self) -> dict[str, object]:
            return view

        def read(self) -> Frame | None:
            if over.is_set():
                return None
            if pace > 0:
                self.tick += 1 / pace
                time.sleep(max(0.0, self.tick - time.monotonic()))
            image = images[self.number % len(images)].copy()
            self.number += 1
            return Frame(image, time.monotonic_ns(), time.time(), self.number)

    return Paced()


@contextmanager
def everybody_else(
    state: Path, newcomers: list[str], seconds: float
) -> Iterator[tuple[str, str, threading.Event]]:
    """The fleet in a process of its own: the address of its broker, its root, and what is set when
    it has done everything."""
    told = {"folder": str(state.with_name(state.name + "-fleet")), "newcomers": newcomers}
    command = [
        sys.executable,
        str(Path(__file__)),
        "fleet",
        json.dumps({**told, "seconds": seconds}),
    ]
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
        fleet.kill()
        waiting.join()
    if fleet.returncode:
        raise SystemExit("the fleet did not get through")


def fleet(folder: str, newcomers: list[str], seconds: float) -> None:
    """Push, install, shadow, canary, switch and roll back, each for about so many seconds."""
    from inference.bundle import load
    from tests.simulators.pushing import pushing

    Path(folder).mkdir()
    made = [load(Path(one)) for one in newcomers]
    with pushing(Path(folder), STATION) as pusher:
        for one in made:
            pusher.file(one)
        print(pusher.broker.url, pusher.root, flush=True)
        Conductor(pusher, made, seconds).all()


class Conductor:
    """Says what comes next, and waits until the station tells that it is so."""

    def __init__(self, pusher: Any, made: list[Any], seconds: float) -> None:
        self._pusher, self._made, self._seconds = pusher, made, seconds

    def all(self) -> None:
        """Every phase, one after the other."""
        from sync.assignment import Limits

        limits = Limits(min_parts=1, max_latency_ratio=1000.0)
        *others, newcomer = self._made
        orders = {"limits": limits, "not_trained_on_yours": True}
        self._until(lambda said: said["running"] is not None)
        self._rest(self._seconds)
        self._push(others[0], newcomer)
        for one in (*others, newcomer):
            self._pusher.say(one, strategy="shadow", **orders)
            self._until(lambda said, one=one: self._at(said, one, "shadow", calibrated=True))
        self._rest(self._seconds)
        self._pusher.say(newcomer, strategy="canary", steps=(50.0,), promote=False, **orders)
        self._until(lambda said: self._at(said, newcomer, "canary"))
        self._rest(self._seconds)
        self._pusher.say(newcomer, strategy="blue-green", **orders)
        self._until(lambda said: said["running"]["bundle"] == newcomer.digest)
        self._rest(self._seconds / 2)
        self._pusher.say(newcomer, action="rollback")
        self._until(lambda said: said["running"]["bundle"] != newcomer.digest)
        self._rest(AFTER_S)

    def _push(self, *files: Any) -> None:
        """Files of 5 MB without their last piece, one after the other."""
        end, turn, pusher = time.monotonic() + self._seconds, 0, self._pusher
        while time.monotonic() < end:
            one = files[turn % len(files)]
            turn += 1
            last, before = len(pusher.file(one).pieces) - 1, len(pusher.fleet.pieces)
            pusher.withheld = last
            pusher.say(one, strategy="shadow")
            while len(pusher.fleet.pieces) - before < last:
                pusher.step()
        pusher.withheld = None

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._pusher.step()

    def _until(self, condition: Any) -> None:
        while True:
            said = self._pusher.fleet.states.get(STATION)
            if said is not None and condition(json.loads(said)):
                return
            self._pusher.step()

    @staticmethod
    def _at(said: Any, one: Any, state: str, calibrated: bool = False) -> bool:
        candidate = said["candidate"] or {}
        last = said["last"] or {}
        if last.get("bundle") == one.digest and last.get("code") not in (None, "superseded"):
            raise SystemExit(f"{one.version} ended: {last}")
        there = candidate.get("bundle") == one.digest and candidate.get("state") == state
        return there and (not calibrated or candidate.get("calibration") is not None)


ROLES = {"prepare": prepare, "line": line, "fleet": fleet}

if __name__ == "__main__":
    result = ROLES[sys.argv[1]](**json.loads(sys.argv[2]))  # type: ignore[operator]
    if sys.argv[1] != "fleet":
        print("RESULT " + json.dumps(result), flush=True)
