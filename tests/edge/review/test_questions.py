"""What waits for a person."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from edge.review.questions import OPEN_CHECKS, inspection, open_checks, questions
from edge.review.verdicts import FILE, give
from edge.store.archive import Archive
from edge.store.escalations import Deadline
from edge.store.journal import Journal
from tests.edge.review.test_verdicts import verdict
from tests.edge.store.builders import disposition
from tests.edge.store.builders import inspection as part

SECOND = 10**9


def test_the_most_urgent_first_then_spot_checks(tmp_path: Path) -> None:
    late, soon = part(1, "escalate", asked=True), part(2, "escalate", asked=True, part="P-2")
    check, told = (
        replace(part(n), asked=True, spot_check={"p": 0.5, "drawn": True}) for n in (3, 4)
    )
    journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
    journal.append(
        [late, soon, check, disposition(check), told, disposition(told)],
        deadlines={
            late.id: Deadline(90 * SECOND, 60.0),
            soon.id: Deadline(70 * SECOND, 60.0),
        },
        state={OPEN_CHECKS: json.dumps([check.id, told.id])},
    )
    journal.close()
    give(tmp_path, verdict(1, told.id))
    with Archive(tmp_path / "line.db") as line, Archive(tmp_path / FILE) as queue:
        found = list(questions(line, queue, "boot-1", 60 * SECOND))
        assert [one.inspection for one in found] == [soon.id, late.id, check.id]
        assert [one.left_s for one in found] == [10.0, 30.0, None]
        assert [one.reason for one in found] == ["uncertain", "uncertain", "spot check"]
        assert found[0].as_json() == {
            "id": soon.id,
            "part_id": "P-2",
            "since": "2026-11-18T11:06:42.000Z",
            "reason": "uncertain",
            "left_s": 10.0,
        }
        after_a_boot = list(questions(line, queue, "boot-2", 60 * SECOND))
        assert after_a_boot[0].left_s == 60.0


def test_nothing_waits_where_nothing_was_recorded(tmp_path: Path) -> None:
    with Archive(tmp_path / "line.db") as line, Archive(tmp_path / FILE) as queue:
        assert list(questions(line, queue, "boot-1", 0)) == []
        assert open_checks(line) == []
        assert inspection(line, "x") is None


def test_an_inspection_is_found_by_its_id_only(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
    made = part(1, part="P-1")
    journal.append([made, disposition(made)])
    journal.close()
    with Archive(tmp_path / "line.db") as line:
        found = inspection(line, made.id)
        assert found is not None
        assert found["part_id"] == "P-1"
        assert inspection(line, "P-1") is None
