"""Power cuts while models come and go: the old model is there, whole, or the new one is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Clock
from edge.recovery.enduring import EnduringJournal
from edge.rollout.probation import INSTALLED
from edge.rollout.standing import Place, Standing, remembered
from edge.store.archive import Archive
from inference import bundle
from tests.appliance.station import config_of, start
from tests.appliance.test_power_cuts import Recorded, cuts, record_of
from tests.appliance.test_rollout import CAMERA, a_station, better, install, models, reached
from tests.conftest import SOAK
from tests.faults.powercut import Disk
from tests.faults.preload import Faults
from tests.faults.quick import scratch
from tests.inference.bundles import until

CUTS = 1000 if SOAK else 60
SHORT = {"min_parts": 3, "trial_parts": 5, "shadow_share": 1.0}


def models_come_and_go(folder: Path) -> Recorded:
    """Two bundles, one after the other, become active; the second is taken back by a person."""
    top = folder / "top"
    top.mkdir()
    faults = Faults(folder / "faults", top, record=True)
    quiet = {"storage": {"images": "none"}, "camera": {**CAMERA, "parts_per_second": 25}}
    settings = a_station(folder, rollout=SHORT, state_dir="top/state", **quiet)
    with start(settings, "run", env=faults.environment) as line:
        until(lambda: bool(models(settings)), seconds=60)
        for version in ("1.3.0", "1.4.0"):
            install(settings, better(folder, version), strategy="blue-green")
            until(lambda known=version: _settled(settings, known), seconds=90)
        answer = ask(settings, "model_rollback")
        assert answer["ok"], answer
        until(reached(settings, "rolled_back"))
        line.terminate()
        assert line.wait(60) == 0
    return Recorded(settings, Disk(top), faults.events())


def ask(settings: Path, kind: str) -> dict[str, Any]:
    """What a person orders."""
    from edge.asking import ask_line

    answer = ask_line(config_of(settings), kind, {"reason": "a test"}, "anna")
    assert answer is not None
    return dict(answer)


def _settled(settings: Path, version: str) -> bool:
    running = models(settings)["running"]
    return running["version"] == version and running["trial"] is None


def found_after(state: Path, factory: Place) -> tuple[Standing, list[dict[str, Any]]]:
    """What a start finds, and the story that was recorded."""
    record_of(state / "line.db", "line")
    journal = EnduringJournal.begin(state / "line.db", "another boot", Clock(), {})
    standing = remembered(journal.state, factory)
    journal.close()
    with Archive(state / "line.db") as archive:
        told = [json.loads(row.body) for row in archive.rows(0, 1 << 30, 1 << 40)]
    return standing, [record for record in told if record["schema"] == "rollout/1"]


def whole(state: Path, place: Place) -> bool:
    """Whether the bundle of a place is there, down to the last byte."""
    path = state / "slots" / place.slot
    return place.slot == "factory" or bundle.load(path).digest == place.digest


def check(standing: Standing, told: list[dict[str, Any]], state: Path) -> None:
    """One model is active and whole; state and story say the same."""
    assert whole(state, standing.active), "the active model"
    for other in (standing.previous, standing.back):
        assert other is None or whole(state, other), "the way back"
    candidate = standing.beside
    if candidate is not None and candidate.state in INSTALLED:
        assert candidate.slot is not None
        there = Place(candidate.slot, candidate.digest, candidate.name, candidate.version)
        assert whole(state, there), "the candidate"
    newest = standing.candidate or standing.last
    assert (newest is None) == (not told)
    if newest is not None:
        assert (told[-1]["bundle"], told[-1]["to"]) == (newest.digest, newest.state)


@pytest.mark.slow
def test_after_a_power_cut_at_any_moment_one_model_is_active_and_whole(tmp_path: Path) -> None:
    recorded = models_come_and_go(tmp_path)
    made = bundle.load(tmp_path / "bright")
    factory = Place("factory", made.digest, made.name, made.version)
    seen = set()
    with scratch(tmp_path) as folder:
        for _number, top, _said in cuts(recorded, CUTS, folder):
            state = top / recorded.state
            if not (state / "line.db").exists():
                continue
            standing, told = found_after(state, factory)
            check(standing, told, state)
            seen.add((standing.active.version, told[-1]["to"] if told else None))
            shutil.rmtree(state)
    assert {version for version, _ in seen} == {"1.2.3", "1.3.0", "1.4.0"}
    assert len(seen) > 6
