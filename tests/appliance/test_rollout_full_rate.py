"""A 5 MB model comes, decides and goes by the fleet's word while the line runs at its full rate: no
part is lost, and every record belongs to one model with its own cuts.

A replayable source gives the next part as soon as the line takes it, so whatever holds the line up
costs rate and never a part. A live one does not wait: a part that finds the line busy is recorded
as an overrun. On a machine that others use as well, some are; a second line without a roll-out runs
beside it and is what they are compared with.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.decision.binomial import at_most
from edge.store.archive import Archive
from edge.store.verify import verify
from inference.bundle import Bundle
from sync.assignment import Limits
from tests.appliance.station import config_of, rows, start, station
from tests.appliance.test_rollout import PROBATION, TARGETS, a_station, calibrate, labelled, line
from tests.inference import bundles
from tests.simulators.pushing import SIZE, Pusher, heavy, pushing, until
from tests.simulators.tflite import bright_is_good

pytestmark = [pytest.mark.broker, pytest.mark.slow]
NAME = "plant/line/station"
DECISION = {"automation": "partial", **TARGETS}
PARTS = 200
A_PATIENT_MACHINE_S = 240
LIVE = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 100}
STEPS = (50.0, 100.0)
LIMITS = Limits(min_parts=20, max_latency_ratio=100.0)
"""What else this machine does must not make a model look slow."""
BURST_PARTS = 100
"""Overruns nearer to each other than this have one cause."""


def parts(folder: Path) -> dict[str, Any]:
    """A folder of bright and dark parts, again and again, as a camera."""
    folder.mkdir()
    draws = np.random.default_rng(5)
    for number in range(PARTS):
        near = draws.integers(0, 20, (120, 160, 3)).astype(np.int16)
        picture = np.abs(255 * (number % 2) - near).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number:05d}.png"), picture)
    return {"source": "folder", "path": str(folder), "loop": True}


class Plant:
    """A station whose line and sync run, and the fleet that pushes to it."""

    def __init__(self, folder: Path, camera: dict[str, Any], pusher: Pusher) -> None:
        self.pusher = pusher
        sync = {"broker": pusher.broker.url, "trust_root_file": str(pusher.root)}
        model = {"bundle": "bright", "deadline_ms": 2000}
        self.settings = a_station(folder, camera=camera, sync=sync, model=model)
        calibrate(self.settings, labelled(folder / "labelled"))
        self.made = heavy(
            folder / "heavy", bundles.manifest(version="1.3.0"), bright_is_good("int8")
        )

    def until(self, version: str, **more: Any) -> None:
        """The line itself says that this version runs, and what else is asked for."""

        def so() -> bool:
            said = self.said()
            running, last = said.get("running") or {}, said.get("last") or {}
            assert last.get("code") in (None, "ordered"), last
            return running.get("version") == version and more.items() <= running.items()

        until(self.pusher, so, A_PATIENT_MACHINE_S, f"{version} {more}: {self.said()}")

    def said(self) -> dict[str, Any]:
        """What the station says of its models, as the fleet hears it."""
        found = self.pusher.fleet.states.get(NAME)
        return {} if found is None else json.loads(found)  # type: ignore[no-any-return]

    def there_and_back(self) -> None:
        """The model comes by steps, is active for good, and goes again."""
        self.until("1.2.3")
        self.pusher.say(self.made, steps=STEPS, limits=LIMITS, not_trained_on_yours=True)
        self.until("1.3.0", trial=None)
        self.pusher.say(self.made, action="rollback")
        self.until("1.2.3")


@contextmanager
def plant(folder: Path, camera: dict[str, Any]) -> Iterator[Plant]:
    """All of it; at the end both services have ended in good order."""
    with pushing(folder, NAME) as pusher:
        made = Plant(folder, camera, pusher)
        until(pusher, lambda: pusher.fleet.subscribed, 30)
        with line(made.settings), start(made.settings, "sync") as sync:
            try:
                yield made
            finally:
                sync.terminate()
            assert sync.wait(60) == 0


def of(settings: Path) -> dict[str, list[dict[str, Any]]]:
    """Every record of the line by schema, in order; their chain and pictures are sound."""
    config = config_of(settings)
    with Archive(config.state_dir / "line.db") as archive:
        finding = verify(archive, config.state_dir)
    assert (finding.broken, finding.pictures) == (None, [])
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(settings):
        record = json.loads(row.body)
        found.setdefault(record["schema"], []).append(record)
    return found


def check_steps(told: list[dict[str, Any]]) -> str:
    """Through every state, up and down again; the calibration that the newcomer found here."""
    assert [key for key, _ in itertools.groupby(one["to"] for one in told)] == [
        *(("assigned", "downloading") if told[1]["to"] == "downloading" else ("assigned",)),
        "verified",
        "proved",
        "shadow",
        "canary",
        "active",
        "rolled_back",
    ]
    assert [one["share"] for one in told if one["event"] == "share"] == [0.5, 1.0]
    assert told[-1]["code"] == "ordered"
    own = told[-1]["calibration"]
    assert isinstance(own, str)
    return own


def check_belonging(decided: list[dict[str, Any]], made: Bundle, own: str) -> None:
    """Of each record, model, calibration and cuts are those of one and the same seat."""
    seats = {
        (one["model"]["bundle"], one["calibration"], json.dumps(one["cuts"], sort_keys=True))
        for one in decided
    }
    assert len(seats) == 2
    assert {digest: calibration for digest, calibration, _ in seats}[made.digest] == own
    assert len({calibration for _, calibration, _ in seats}) == 2
    for one in decided:
        if "canary" in one["tags"]:
            assert one["model"]["bundle"] == made.digest


def check_fates(found: dict[str, list[dict[str, Any]]]) -> None:
    """What was decided is done: one disposition for each, and the same."""
    fates = Counter(one["inspection"] for one in found.get("disposition/1", []))
    assert set(fates.values()) <= {1}
    for one in found["inspection/1"]:
        if one["decision"] != "escalate":
            assert fates[one["id"]] == 1


def test_no_part_is_lost_at_the_rate_that_the_line_can(tmp_path: Path) -> None:
    with plant(tmp_path, parts(tmp_path / "parts")) as made:
        made.there_and_back()
    assert made.pusher.fleet.sent >= SIZE
    found = of(made.settings)
    own = check_steps(found["rollout/1"])
    inspected = found["inspection/1"]
    for number, one in enumerate(inspected):
        assert one["tags"]["file"] == f"{number % PARTS:05d}.png"
    assert {one["reason"] for one in inspected} & {"overrun", "late", "fault"} == set()
    check_belonging(inspected, made.made, own)
    check_fates(found)
    # each way round once: no part between belongs to anybody else
    plain = [one["model"]["version"] for one in inspected if "canary" not in one["tags"]]
    assert [key for key, _ in itertools.groupby(plain)] == ["1.2.3", "1.3.0", "1.2.3"]


def test_a_live_line_overruns_no_more_often_than_one_without_a_roll_out(tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    other = station(beside, {**LIVE, "seed": 4}, decision=DECISION, rollout=PROBATION)
    with plant(tmp_path, LIVE) as made, line(other):
        made.there_and_back()
    found = of(made.settings)
    own = check_steps(found["rollout/1"])
    inspected = found["inspection/1"]
    numbers = [int(one["part_id"].removeprefix("R-")) for one in inspected if one["part_id"]]
    first, last = min(numbers), max(numbers)
    gone = set(range(first, last + 1)) - set(numbers)
    assert len(numbers) == len(set(numbers))
    empty = sum(one["part_id"] is None for one in inspected)
    assert len(gone) <= empty  # a place without a part has no number
    looked = [one for one in inspected if one["reason"] != "overrun"]
    assert {one["reason"] for one in looked} & {"late", "fault"} == set()
    check_belonging([one for one in looked if one["model"]], made.made, own)
    check_fates(found)
    ours, theirs = bursts(inspected), bursts(of(other)["inspection/1"])
    assert not more_often(ours, theirs), (ours, theirs)


def bursts(inspected: list[dict[str, Any]]) -> int:
    """How often the line was late for one part or several in a row."""
    found, before = 0, -BURST_PARTS
    for place, one in enumerate(inspected):
        if one["reason"] == "overrun":
            found += place - before >= BURST_PARTS
            before = place
    return found


def more_often(ours: int, theirs: int) -> bool:
    """The sign test: of two lines that are late equally often, each has a share of one half of all
    bursts. True in less than one of 10,000 such runs."""
    return at_most(theirs, ours + theirs, 0.5) < 1e-4
