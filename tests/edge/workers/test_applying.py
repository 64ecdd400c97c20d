"""A calibration is put in force by a person, recorded first, and remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge import calibrations
from edge.applied import CalibrationApplied
from edge.calibrations import STATE_APPLIED, STATE_DIGEST
from edge.decision.facts import Facts
from edge.records import Cuts
from edge.requests import Refused, Request
from edge.store.journal import Journal
from edge.workers import applying
from edge.workers.applying import Applicable, Applying
from edge.workers.entry import Entry
from edge.workers.ruler import Basis, Ruler
from tests.edge.test_calibrations import content
from tests.edge.workers.parts import ORIGIN, FakeClock

NONE = Basis("full", True, None, None, "no calibration was made yet")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.ruler = Ruler(NONE, ORIGIN, self.clock.new_id, {}.get)
        path = calibrations.write(folder, content(1, by="ben", reason="new lamp"))
        self.made = calibrations.read(path)
        self.told = 0
        self.entries: list[Entry] = []
        self.applying = Applying(self.find, self.ruler, self.clock, ORIGIN, self.tell)
        self.applying.record = self.commit

    def find(self, calibration_id: str) -> Applicable:
        if calibration_id != self.made.id:
            raise Refused("there is no such calibration")
        return Applicable(self.made, "f" * 64, Basis("full", True, self.made.cuts, None))

    def tell(self) -> None:
        self.told += 1

    def commit(self, entry: Entry) -> None:
        """As the record thread does, at once. Nothing may be in force before."""
        assert self.ruler.basis is NONE
        self.entries.append(entry)
        assert entry.done is not None
        entry.done()

    def ask(self, by: str | None = "anna", **changed: object) -> dict[str, object]:
        arguments = {"calibration": self.made.id, "reason": "released", **changed}
        request = Request(self.clock.new_id(), "apply_calibration", arguments, by, "root")
        return self.applying.apply(request)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_is_in_force_recorded_and_remembered(bench: Bench) -> None:
    bench.ruler.look(Facts(), bench.clock.moment())
    assert bench.ruler.now.degree == "shadow"
    answer = bench.ask()
    assert answer["calibration"] == bench.made.id
    assert bench.ruler.ruling.cuts == Cuts(0.1, 0.9, True, bench.made.id)
    assert bench.told == 1
    bench.ruler.look(Facts(), bench.clock.moment())
    assert bench.ruler.now.degree == "full"
    (entry,) = bench.entries
    assert entry.state == {STATE_APPLIED: bench.made.id, STATE_DIGEST: "f" * 64}
    (record,) = entry.records
    body = record.content()
    assert (body["id"], body["by"], body["reason"], body["account"]) == (
        bench.made.id, "anna", "released", "root",
    )  # fmt: skip
    assert (body["made_by"], body["made_because"]) == ("ben", "new lamp")
    assert (body["accept_below"], body["request"]) == (0.1, entry.request_id)


@pytest.mark.parametrize(
    ("by", "changed"),
    [
        (None, {}),
        ("anna", {"reason": ""}),
        ("anna", {"reason": 7}),
        ("anna", {"calibration": None}),
        ("anna", {"calibration": "another"}),
    ],
)
def test_without_all_that_belongs_to_it_nothing_changes(
    bench: Bench, by: str | None, changed: dict[str, object]
) -> None:
    with pytest.raises(Refused):
        bench.ask(by, **changed)
    assert bench.ruler.basis is NONE
    assert (bench.entries, bench.told) == ([], 0)


def test_while_the_disk_refuses_it_is_not_in_force(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "COMMIT_WITHIN_S", 0.0)
    bench.applying.record = bench.entries.append
    with pytest.raises(Refused, match="waits for the disk"):
        bench.ask()
    assert bench.ruler.basis is NONE
    done: Any = bench.entries[0].done
    done()
    assert bench.ruler.basis is NONE  # this was the record thread
    bench.applying.settle()
    assert bench.ruler.basis.cuts == bench.made.cuts


def test_cuts_that_are_stored_late_never_meet_another_model(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "COMMIT_WITHIN_S", 0.0)
    bench.applying.record = bench.entries.append
    active = [bench.made.binding.bundle]
    bench.applying._bundle = lambda: active[0]
    with pytest.raises(Refused, match="waits for the disk"):
        bench.ask()
    done: Any = bench.entries[0].done
    done()
    active[0] = "another bundle"  # promoted before this thread looks
    bench.applying.settle()
    assert bench.ruler.basis is NONE


def test_the_same_one_can_be_applied_again(bench: Bench, tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "line.db", "boot", 0)
    for number in range(2):
        record = CalibrationApplied(
            id=bench.made.id,
            origin=ORIGIN,
            decided=bench.clock.moment(),
            application=f"a{number}",
            calibration={**bench.made.content, "familiar": {"mean": "x" * 4000}},
            reason="x",
            by="anna",
        )
        (committed,) = journal.append([record])
        assert b"familiar" not in committed.body
        assert json.loads(committed.body)["schema"] == "calibration/1"
    journal.close()


def test_uncertified_cuts_hold_automation_down(bench: Bench) -> None:
    bench.ruler.basis = Basis("full", True, Cuts(0.1, 0.9, certified=False), None)
    bench.ruler.look(Facts(), bench.clock.moment())
    assert [limit.name for limit in bench.ruler.limits] == ["uncertified"]
