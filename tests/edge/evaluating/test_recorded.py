"""Recorded inspections as cases: which truths count, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.calibrating.gathered import Unusable
from edge.evaluating.recorded import Wanted, recorded_cases
from edge.records import Inspection
from edge.review.verdict import Answer, Verdict
from edge.review.verdicts import give
from edge.store.journal import Journal
from tests.edge.review.test_verdicts import correction
from tests.edge.review.test_verdicts import verdict as said
from tests.edge.store.builders import ORIGIN, inspection

BERLIN = ZoneInfo("Europe/Berlin")
MODEL = {"name": "rings", "version": "1.0.0", "bundle": "b" * 64}
OTHER = {"name": "rings", "version": "2.0.0", "bundle": "d" * 64}


def part(number: int, truth: str | None = None, score: float | None = 0.3) -> Inspection:
    made = inspection(number, "escalate", part=f"R-{number:03d}")
    return replace(made, truth=truth, score=score, model=MODEL, view="a" * 64, tags={"shift": "1"})


def record(folder: Path, *parts: Inspection) -> None:
    journal = Journal.open(folder / "line.db", "boot-1", 0)
    journal.append(list(parts))
    journal.close()


def say(folder: Path, about: Inspection, answer: Answer, label: str | None = None) -> None:
    verdict = Verdict(
        id=f"00000000-0000-7000-8000-{about.captured.monotonic_ns:012d}",
        origin=ORIGIN,
        given=about.captured,
        inspection=about.id,
        verdict=answer,
        by="q-1",
        label=label,
    )
    give(folder, verdict)


def test_truths_verdicts_and_what_is_left_out(tmp_path: Path) -> None:
    parts = [
        part(1, "good"),
        part(2, "defect/dent"),
        part(3),
        part(4),
        part(5),
        part(6),
        part(7, "good", None),
        replace(part(8, "good"), model=OTHER),
        replace(part(9, "good"), doubts=({"name": "blurred"},)),
    ]
    record(tmp_path, *parts)
    say(tmp_path, parts[1], "accept")
    say(tmp_path, parts[2], "accept")
    say(tmp_path, parts[3], "reject", "defect/stain")
    say(tmp_path, parts[4], "unsure")
    found = recorded_cases(tmp_path, Wanted("b" * 64), BERLIN)
    assert found.defect.tolist() == [False, True, False, True, False]
    assert found.doubtful.tolist() == [False] * 4 + [True]
    assert list(found.tags["type"]) == ["unknown", "dent", "unknown", "stain", "unknown"]
    assert set(found.tags["family"]) == {"R"}
    assert set(found.tags["view"]) == {"a" * 12}
    assert set(found.tags["shift"]) == {"1"}
    left = {out.why: out.count for out in found.left_out}
    assert left == {
        "nobody knows whether the part is good": 2,
        "no score: uncertain": 1,
        "scored by another model (rings 2.0.0)": 1,
    }
    assert found.notes[0].startswith("2 of the truths are persons' verdicts")
    assert found.notes[1] == "About 1 parts of known truth a person said the opposite."


def test_the_hour_is_the_stations(tmp_path: Path) -> None:
    record(tmp_path, part(1, "good"))
    # 2026-11-18, 11:06 UTC
    assert recorded_cases(tmp_path, Wanted(), BERLIN).tags["hour"] == ["12 h"]


def test_without_a_bundle_the_newest_one_counts(tmp_path: Path) -> None:
    record(tmp_path, part(1, "good"), replace(part(2, "good", 0.7), model=OTHER))
    assert recorded_cases(tmp_path, Wanted(), BERLIN).scores.tolist() == [0.7]


def test_no_known_truth_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="none recorded"):
        recorded_cases(tmp_path, Wanted(), BERLIN)
    record(tmp_path, part(1), part(2))
    with pytest.raises(Unusable, match="2 nobody knows"):
        recorded_cases(tmp_path, Wanted(), BERLIN)


def test_a_truth_by_persons_is_what_they_say_at_last(tmp_path: Path) -> None:
    parts = [part(number) for number in range(1, 5)]
    record(tmp_path, *parts)
    given = [said(number, made.id) for number, made in enumerate(parts)]
    for made in given:
        give(tmp_path, made)
    give(tmp_path, correction(11, given[0], to="reject", label="dent"))
    give(tmp_path, correction(12, given[1]))
    give(tmp_path, replace(said(13, parts[2].id, "reject"), by="berta"))
    found = recorded_cases(tmp_path, Wanted("b" * 64), BERLIN)
    assert found.defect.tolist() == [True, False]
    assert list(found.tags["type"]) == ["dent", "unknown"]
    assert {out.why: out.count for out in found.left_out} == {
        "nobody knows whether the part is good": 2
    }
