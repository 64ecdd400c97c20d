"""Persons' answers on disk."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.records import Moment
from edge.recovery import aside, salvage
from edge.review.correction import Correction
from edge.review.verdict import Verdict, drawn, shows_answer
from edge.review.verdicts import (
    FILE,
    PAGE,
    STREAM,
    after,
    fate_of,
    give,
    is_correction,
    is_verdict,
    latest,
)
from edge.store.archive import Archive
from edge.store.errors import Held
from edge.store.lock import Lock
from edge.store.verify import verify
from tests.edge.store.builders import NOON, ORIGIN


def verdict(number: int, about: str = "inspection-1", answer: str = "accept") -> Verdict:
    return Verdict(
        id=f"verdict-{number}",
        origin=ORIGIN,
        given=Moment(NOON + number, number),
        inspection=about,
        verdict=answer,  # type: ignore[arg-type]
        by="anna",
        account="operator",
        label="scratch",
        picture="a" * 64,
    )


def correction(number: int, about: Verdict, **more: Any) -> Correction:
    known: dict[str, Any] = {"to": None, "by": "anna", "reason": "a slip", **more}
    return Correction(
        id=f"correction-{number}",
        origin=ORIGIN,
        given=Moment(NOON + number, number),
        inspection=about.inspection,
        verdict=about.id,
        **known,
    )


def test_answers_are_a_chain_of_their_own(tmp_path: Path) -> None:
    for number in range(3):
        give(tmp_path, verdict(number))
    with Archive(tmp_path / FILE) as queue:
        assert verify(queue, tmp_path).sound
        records = [record for _, record in after(queue, 0)]
    assert [record["id"] for record in records] == ["verdict-0", "verdict-1", "verdict-2"]
    assert {record["stream"] for record in records} == {"queue"}
    first = records[0]
    assert first["schema"] == "verdict/1"
    assert (first["by"], first["account"], first["label"]) == ("anna", "operator", "scratch")
    assert (first["basis"], first["answer_shown"], first["note"]) == ("picture", False, None)
    assert first["at"] == "2026-11-18T11:06:40.000Z"
    assert is_verdict(first)


def test_the_last_answer_about_a_part_is_found_at_once(tmp_path: Path) -> None:
    give(tmp_path, verdict(1, "a", "unsure"))
    give(tmp_path, verdict(2, "a", "reject"))
    give(tmp_path, verdict(3, "b"))
    with Archive(tmp_path / FILE) as queue:
        found = latest(queue, "a")
        assert found is not None
        assert (found["id"], found["verdict"], found["by"]) == ("verdict-2", "reject", "anna")
        assert latest(queue, "c") is None


def test_the_last_word_may_be_that_there_is_none(tmp_path: Path) -> None:
    given = verdict(1, "a")
    give(tmp_path, given)
    give(tmp_path, correction(2, given))
    with Archive(tmp_path / FILE) as queue:
        found = latest(queue, "a")
        assert found is not None
        assert (found["id"], found["verdict"], found["correction"]) == (
            "verdict-1",
            None,
            "correction-2",
        )
        (last,) = [record for _, record in after(queue, 1)]
    assert is_correction(last)
    assert not is_verdict(last)


@pytest.mark.parametrize(
    ("said", "hold", "fate"),
    [
        ("accept", False, "accept"),
        ("reject", False, "reject"),
        ("unsure", False, None),
        ("unsure", True, "hold"),
        ("accept", True, "hold"),
    ],
)
def test_what_an_answer_does_to_a_part(said: str, hold: bool, fate: str | None) -> None:
    assert fate_of({"verdict": said, "hold": hold}) == fate
    assert fate_of({"verdict": said}) == fate_of({"verdict": said, "hold": False}), "older records"


def test_before_the_first_answer_there_is_none(tmp_path: Path) -> None:
    with Archive(tmp_path / FILE) as queue:
        assert latest(queue, "a") is None
        assert list(after(queue, 0)) == []


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Lock(tmp_path / "queue.lock"), pytest.raises(Held):
        give(tmp_path, verdict(1))
    give(tmp_path, verdict(1))


def test_answers_are_read_page_by_page(tmp_path: Path) -> None:
    for number in range(5):
        give(tmp_path, verdict(number))
    with Archive(tmp_path / FILE) as queue:
        assert [seq for seq, _ in after(queue, 1, 3)] == [2, 3, 4]
    assert PAGE >= 100


@pytest.mark.parametrize("how", ["noise", "pages", "gone"])
def test_a_damaged_queue_refuses_nobody_s_answer(tmp_path: Path, how: str) -> None:
    for number in range(30):
        give(tmp_path, verdict(number, f"part-{number}"))
    path = tmp_path / FILE
    whole = path.read_bytes()
    with Archive(path) as queue:
        before = queue.epoch
    damage = {
        "noise": b"noise" * 10_000,
        "pages": whole[:8192] + b"\xff" * 4096 + whole[12_288:],
        "gone": whole[: whole.rindex(b'"part-15"') // 4096 * 4096],
    }
    path.write_bytes(damage[how])
    give(tmp_path, verdict(99, "the next"))
    with Archive(path) as queue:
        assert queue.epoch != before
        assert [record["id"] for _, record in after(queue, 0)] == ["verdict-99"]
        assert latest(queue, "the next") is not None
        assert verify(queue, tmp_path).sound
    (case,) = aside.cases(tmp_path)
    assert (case.stream, case.database) == (STREAM, FILE)
    told = salvage.salvage(case, tmp_path)
    if how != "noise":
        assert told.file == f"salvage/queue-{before}.db"
        assert told.rows + told.lost_records == told.highest
    give(tmp_path, verdict(100))
    assert len(aside.cases(tmp_path)) == 1


def test_answers_about_parts_are_still_known_where_they_can_be_read(tmp_path: Path) -> None:
    for number in range(5):
        give(tmp_path, verdict(number, f"part-{number}"))
    database = sqlite3.connect(tmp_path / FILE)
    with database:
        database.execute("UPDATE meta SET value = 'nonsense'")
    database.close()
    give(tmp_path, verdict(99, "the next"))
    with Archive(tmp_path / FILE) as queue:
        found = [latest(queue, f"part-{number}") for number in range(5)]
    assert [one and one["id"] for one in found] == [f"verdict-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("automation", "check", "shown"),
    [
        ("human_only", None, False),
        ("shadow", None, False),
        ("assist", None, True),
        ("partial", {"p": 0.5, "drawn": False}, True),
        ("partial", {"p": 0.5, "drawn": True}, False),
        ("full", {"p": 0.5, "drawn": True}, False),
    ],
)
def test_the_models_answer_stays_hidden_where_it_could_lead(
    automation: str, check: object, shown: bool
) -> None:
    content = json.loads(json.dumps({"automation": automation, "spot_check": check}))
    assert shows_answer(content) is shown
    assert drawn(content) is (check is not None and check["drawn"])  # type: ignore[index]
