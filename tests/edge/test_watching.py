"""The watching half, wired from a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.clock import Clock
from edge.config_file import parse
from edge.decision.challenge import Challenge
from edge.records import Cuts, Degree
from edge.review.verdicts import FILE, STREAM
from edge.store.journal import Journal
from edge.watching import TEND_BUSY_MS, unsure, wanted, watching
from edge.workers.openings import Openings
from edge.workers.ruler import Basis, Ruler
from tests.edge.store.builders import ORIGIN

KNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
OPENINGS = Openings()
TEXT = """
station: {site: a, line: b, name: c}
state_dir: state
camera: {source: synthetic}
model: {bundle: "@rings"}
decision: {max_escape: 0.02, max_overkill: 0.03, confidence: 0.9, max_slip: 0.001,
           spot_checks_per_day: 7}
"""


def standards(folder: Path, content: dict[str, Any]) -> Any:
    made = {
        "schema": "calibration/1",
        "id": KNOWN,
        "bundle": "b",
        "runtime": "r",
        "machine": "m",
        "view": "v",
        "accept_below": 0.1,
        "reject_above": 0.9,
        "certified": True,
        **content,
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{KNOWN}.json").write_text(json.dumps(made))
    return SimpleNamespace(folders=[folder])


def journal(kept: Mapping[str, str]) -> Any:
    """What the line remembers; nothing of it is damaged."""
    return SimpleNamespace(state=kept.get, suspect=lambda symptom: None)


def test_what_a_calibration_states_is_watched(tmp_path: Path) -> None:
    config = parse(TEXT.encode(), tmp_path / "c.yaml")
    stated = {"escape": {"target": 0.05}, "overkill": {"target": 0.07}}
    found = wanted(config, standards(tmp_path / "calibrations", stated), KNOWN)
    assert (found.max_escape, found.max_overkill) == (0.05, 0.07)


@pytest.mark.parametrize("name", [KNOWN, "another"])
@pytest.mark.parametrize("content", [{}, {"escape": None}, {"escape": {"target": 7}}])
def test_what_none_states_comes_from_the_configuration(
    tmp_path: Path, content: dict[str, Any], name: str
) -> None:
    config = parse(TEXT.encode(), tmp_path / "c.yaml")
    found = wanted(config, standards(tmp_path / "calibrations", content), name)
    assert (found.max_escape, found.max_overkill, found.max_slip) == (0.02, 0.03, 0.001)
    assert (found.confidence, found.checks_per_day) == (0.9, 7)
    assert found.alpha == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("content", "share"),
    [
        ({"automation": {"good": 0.8, "defect": 0.9}}, 0.2),
        ({"automation": {"good": 7}}, None),
        ({"automation": None}, None),
        ({}, None),
    ],
)
def test_how_many_parts_are_unsure_is_what_the_calibration_says(
    tmp_path: Path, content: dict[str, Any], share: float | None
) -> None:
    known = standards(tmp_path / "calibrations", content)
    assert unsure(known, KNOWN) == (None if share is None else pytest.approx(share))
    assert unsure(known, "another") is None


@pytest.mark.parametrize(
    ("degree", "cuts", "why"),
    [
        ("human_only", Cuts(0.1, 0.9), "human_only"),
        ("shadow", None, "no cuts"),
        ("shadow", Cuts(0.1, 0.9), None),
    ],
)
def test_a_challenge_is_refused_where_it_would_measure_nothing(
    tmp_path: Path, degree: Degree, cuts: Cuts | None, why: str | None
) -> None:
    ruler = Ruler(Basis(degree, True, cuts, None), ORIGIN, Clock().new_id, {}.get)
    config = parse(TEXT.encode(), tmp_path / "c.yaml")
    known = config, standards(tmp_path, {}), ruler, Clock(), ORIGIN
    made = watching(*known, journal({}), OPENINGS)
    found = made.requests._usable()
    assert found is None if why is None else why in str(found)


def test_a_challenge_that_was_running_is_seen_in_the_status(tmp_path: Path) -> None:
    ruler = Ruler(Basis("full", True, Cuts(0.1, 0.9), None), ORIGIN, Clock().new_id, {}.get)
    config = parse(TEXT.encode(), tmp_path / "c.yaml")
    kept = Challenge("c", "defect", 3, 3).started()
    known = config, standards(tmp_path, {}), ruler, Clock(), ORIGIN
    made = watching(*known, journal(kept), OPENINGS)
    assert made.figures() == {
        "bounds": None,
        "challenge": {"truth": "defect", "left": 3},
        "answers": {"epoch": None, "seq": 0},
    }
    assert made.troubles() == {"verdicts": None, "watch": None, "database": None}
    assert len(made.helpers) == 4


def test_no_file_of_another_service_holds_the_thread_up_for_long(tmp_path: Path) -> None:
    ruler = Ruler(Basis("full", True, Cuts(0.1, 0.9), None), ORIGIN, Clock().new_id, {}.get)
    config = parse(TEXT.encode(), tmp_path / "c.yaml")
    Journal.open(config.state_dir / FILE, "boot-1", 0, STREAM).close()
    made = watching(config, standards(tmp_path, {}), ruler, Clock(), ORIGIN, journal({}), OPENINGS)
    for archive in (made.verdicts._queue, made.watch._queue):
        with archive.reading() as database:
            assert database is not None
            assert database.execute("PRAGMA busy_timeout").fetchone() == (TEND_BUSY_MS,)
        archive.close()
