"""The whole appliance for bad models: a fleet that pushes, a real line and a real sync, and what
the records say of who decided which part."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
from typer.testing import CliRunner

from camera.synthetic import SyntheticSource
from edge.cli.errors import CHECK_FAILED, USAGE
from edge.cli.main import app
from edge.status import of_service
from edge.store.archive import Archive
from inference.bundle import Bundle
from tests.appliance.station import config_of, start, station
from tests.inference import bundles
from tests.simulators.broker import Broker
from tests.simulators.tflite import classifier

HERE = "plant/line/station"
PARTS_PER_SECOND = 100
SIZE = {"width": 160, "height": 120}
CAMERA = {"source": "synthetic", "seed": 3, "parts_per_second": PARTS_PER_SECOND, **SIZE}
TARGETS = {"max_escape": 0.1, "max_overkill": 0.1, "confidence": 0.9}
PROBATION = {"min_parts": 20, "trial_parts": 3000}
BORDER, BESIDE = 0.32, 0.005
"""What is brighter counts as good at this station; nothing so near to it is in its dataset."""
STEEP = 128.0
OF_EACH = 60
GIVE_UP_S = 120.0


def wait(condition: Callable[[], object], what: str) -> None:
    """Wait for the appliance, without taking the machine from it."""
    pause = threading.Event()
    end = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < end, f"waited {GIVE_UP_S:g} s for {what}"
        pause.wait(0.1)


def factory() -> bytes:
    """A sharp model: its border lies where the simulated parts are."""
    side, bias = STEEP / 6, STEEP * BORDER / 2
    return classifier(((side,) * 3, (-side,) * 3), (-bias, bias))


def dataset(folder: Path) -> Path:
    """Parts of another seed, labelled by their brightness."""
    source = SyntheticSource(seed=99, **SIZE)
    source.open()
    left = {"good": OF_EACH, "defect/dark": OF_EACH}
    while any(left.values()):
        frame = source.read()
        assert frame is not None
        assert frame.image is not None
        above = float(frame.image.mean()) / 255 - BORDER
        kind = "good" if above > 0 else "defect/dark"
        if abs(above) < BESIDE or not left[kind]:
            continue
        left[kind] -= 1
        (folder / kind).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / kind / f"{frame.number}.png"), frame.image)
    return folder


class Appliance:
    """Broker, fleet and station, on one machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder / "broker")
        self.broker.start()
        self._fleet = {
            "EDGE_INSPECT_FLEET_DATABASE": f"sqlite:///{folder}/fleet.db",
            "EDGE_INSPECT_FLEET_REPOSITORY": str(folder / "repository"),
        }
        self._log = open(folder / "log", "ab")  # noqa: SIM115
        self._running: dict[str, subprocess.Popen[Any]] = {}
        self.run_began = 0
        self.fleet("init", str(folder / "repository"))
        self.fleet("keys", "export-root", "--out", str(folder / "root.json"))
        bundles.make(folder, "float32", factory())
        sync = {"broker": self.broker.url, "trust_root_file": "root.json"}
        decision = {"automation": "partial", **TARGETS}
        self.settings = station(
            folder, CAMERA, sync=sync, decision=decision, rollout=PROBATION,
            storage={"images": "none"}, model={"bundle": "bright", "deadline_ms": 500},
        )  # fmt: skip
        self.state_dir = config_of(self.settings).state_dir
        words = ("--apply", "--by", "anna", "--not-trained-on-these")
        self.command("calibrate", str(dataset(folder / "parts")), *words)
        for name in ("serve", "line", "sync"):
            self.begin(name)

    def begin(self, name: str) -> None:
        """Start one of the processes: serve, line or sync."""
        if name == "serve":
            words = [*(sys.executable, "-m", "edge", "fleet", "serve")]
            words += ["--broker", self.broker.url]
            words += ["--database", self._fleet["EDGE_INSPECT_FLEET_DATABASE"]]
            words += ["--repository", self._fleet["EDGE_INSPECT_FLEET_REPOSITORY"]]
            process = subprocess.Popen(words, stdout=self._log, stderr=self._log)
        else:
            word = {"line": "run"}.get(name, name)
            if name == "line" and (self.state_dir / "line.db").exists():
                self.run_began = self.head
            process = start(self.settings, word, stdout=self._log, stderr=self._log)
        self._running[name] = process
        if name != "serve":
            wait(lambda: self.status(name).get("pid") == process.pid, f"{name} to start")

    def end(self, name: str) -> None:
        """In good order."""
        process = self._running.pop(name)
        process.terminate()
        assert process.wait(60) == 0, name

    def kill(self, name: str) -> None:
        """At once."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def close(self) -> None:
        """Nothing is left."""
        for name in list(self._running):
            self.kill(name)
        self.broker.kill()
        self._log.close()

    def command(self, *words: str) -> str:
        """A command at the station; what it printed."""
        return self._run([*words, "--config", str(self.settings)])

    def fleet(self, *words: str) -> str:
        """A command of the fleet; what it printed."""
        return self._run(["fleet", *words])

    def _run(self, words: list[str]) -> str:
        done = CliRunner().invoke(app, words, env=self._fleet)
        well = (0, CHECK_FAILED) if "status" in words else (0,)
        assert done.exit_code in well, (words, done.output, done.exception)
        return done.stdout

    def push(self, bundle: Bundle, *words: str) -> str:
        """To this station, as a manager does; the roll-out's name."""
        return str(json.loads(self.fleet(*self._pushing(bundle, words)))["rollout"])

    def push_refused(self, bundle: Bundle, *words: str) -> str:
        """What is said where the bundle has ended here before."""
        done = CliRunner().invoke(app, ["fleet", *self._pushing(bundle, words)], env=self._fleet)
        assert done.exit_code == USAGE, done.output
        return done.stderr

    def _pushing(self, bundle: Bundle, words: tuple[str, ...]) -> list[str]:
        who = ("--by", "k.ito", "--reason", "a test", "--skip-proof", "--json")
        own = "--not-trained-on-station-pictures"
        return ["push", str(bundle.root), "--to", HERE, *who, own, *words]

    def status(self, name: str = "line") -> dict[str, Any]:
        """What a service of the station says of itself."""
        return of_service(config_of(self.settings), name).content

    @property
    def models(self) -> dict[str, Any]:
        """What the line says of its models."""
        found = self.status().get("rollout")
        return found if isinstance(found, dict) else {}

    def refusal(self, bundle: Bundle) -> dict[str, Any] | None:
        """What the line says of a bundle that it does not take again."""
        listed = self.models.get("refused", [])
        return next((one for one in listed if one["bundle"] == bundle.digest), None)

    def at_fleet(self) -> dict[str, Any]:
        """This station in `fleet status --json`."""
        stations = json.loads(self.fleet("status", "--json"))["stations"]
        return next((one for one in stations if one["station"] == HERE), {})

    def records(self, since: int = 0) -> list[dict[str, Any]]:
        """Of the line, in order."""
        found: list[dict[str, Any]] = []
        with Archive(self.state_dir / "line.db") as archive:
            while more := archive.rows(found[-1]["seq"] if found else since, 5000, 1 << 26):
                found += [json.loads(row.body) for row in more]
        return found

    @property
    def head(self) -> int:
        """The newest record's number."""
        with Archive(self.state_dir / "line.db") as archive:
            return archive.head()[0]


@dataclass(frozen=True)
class Story:
    """What the records say of one bundle from a certain one on."""

    digest: str
    records: list[dict[str, Any]]
    folder: Path

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What happened to it."""
        return [
            one for one in self.records
            if one["schema"] == "rollout/1" and one["bundle"] == self.digest
        ]  # fmt: skip

    @property
    def states(self) -> list[str]:
        """Each once, in order."""
        found = [one["to"] for one in self.steps]
        return [now for before, now in zip(["", *found], found, strict=False) if now != before]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """All that the line saw, whoever decided."""
        return [one for one in self.records if one["schema"] == "inspection/1"]

    @property
    def by_it(self) -> list[dict[str, Any]]:
        """The parts that it answered."""
        return [one for one in self.parts if (one["model"] or {}).get("bundle") == self.digest]

    @property
    def by_others(self) -> list[dict[str, Any]]:
        """The parts that another model answered."""
        answered = (one for one in self.parts if one["model"])
        return [one for one in answered if one["model"]["bundle"] != self.digest]

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """The parts that it accepted."""
        return [one for one in self.by_it if one["decision"] == "accept"]

    def lasted(self, bad: Callable[[dict[str, Any]], bool]) -> tuple[float, int]:
        """Seconds from the first part for which it was bad to the first one that another model
        answered when it was over, by the records' own times; and parts of its own between."""
        ours = [one for one in self.parts if bad(one)]
        first = ours[0]
        over = self.steps[-1]["seq"]
        after = [one for one in self.by_others if one["seq"] > over]
        between = [one for one in self.by_it if one["seq"] >= first["seq"]]
        return _at(after[0]["captured_at"]) - _at(first["captured_at"]), len(between)

    def keeps_to_its_share(self) -> None:
        """In each step of a canary it decided no larger share than chance allows; without one,
        no part. Fails where it did."""
        bounds = [one["seq"] for one in self.steps] + [self.records[-1]["seq"] + 1]
        shares = [one["share"] if one["to"] in ("canary", "active") else 0.0 for one in self.steps]
        after = 0.0
        for share, begin, end in zip(shares, bounds[:-1], bounds[1:], strict=True):
            # what a step changes is in force a moment later
            allowed, after = max(share, after), share
            seen = [one for one in self.parts if begin < one["seq"] < end]
            own = [one for one in seen if (one["model"] or {}).get("bundle") == self.digest]
            if allowed < 1.0:
                assert not own or by_chance(len(own), len(seen), allowed) > 1e-6, (share, len(own))

    def accepts_by_its_own_cuts(self) -> None:
        """Every part that it accepted lies below the accept cut of a calibration that was made for
        it. Fails where one does not."""
        for one in self.accepted:
            path = self.folder / "calibrations" / f"{one['calibration']}.json"
            made = json.loads(path.read_text())
            assert made["bundle"] == self.digest
            assert one["score"] < made["accept_below"] == one["cuts"]["accept_below"]


def by_chance(count: int, n: int, share: float) -> float:
    """At least the probability of so many or more (Hoeffding's bound)."""
    seen = count / n
    if share <= 0:
        return 0.0
    if seen <= share:
        return 1.0
    rest = 0.0 if seen >= 1 else (1 - seen) * math.log((1 - seen) / (1 - share))
    return math.exp(-n * (seen * math.log(seen / share) + rest))


def lost(parts: list[dict[str, Any]]) -> set[int]:
    """Numbers of parts of one run of the line that have no record, though one long behind them
    has. Fails where a part has two."""
    numbers = [int(one["part_id"].partition("-")[2]) for one in parts]
    assert len(numbers) == len(set(numbers))
    return set(range(1, max(numbers) - PARTS_PER_SECOND)) - set(numbers)


def _at(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
