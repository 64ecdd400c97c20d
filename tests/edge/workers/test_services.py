"""What commands can ask of a running line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from camera.decode import decode
from edge.records import Automation, Cuts
from edge.requests import Refused, Request
from edge.workers import services
from edge.workers.entry import Entry
from edge.workers.ruler import STATE_DEGREE, STATE_LATCHED, Basis, Ruler
from edge.workers.services import LineRequests
from tests.edge.workers.parts import ORIGIN, PICTURE, FakeClock, frame

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Bench:
    def __init__(self, folder: Path, kept: dict[str, str] | None = None) -> None:
        self.clock = FakeClock()
        self.ruler = Ruler(
            Basis("full", True, Cuts(0.1, 0.9), None), ORIGIN, self.clock.new_id, (kept or {}).get
        )
        self.inspector: Any = SimpleNamespace(newest=None)
        self.ruling = self.ruler.ruling
        self.entries: list[Entry] = []
        self.requests = LineRequests(folder, self.inspector, self.ruler, self.clock, self.in_force)
        self.requests.record = self.commit

    def in_force(self) -> None:
        self.ruling = self.ruler.ruling

    def commit(self, entry: Entry) -> None:
        """As the record thread does, at once."""
        self.entries.append(entry)
        assert entry.done is not None
        entry.done()

    def ask(self, kind: str, by: str | None = "anna", **arguments: object) -> object:
        return self.requests.handlers[kind](Request(ID, kind, arguments, by, "root"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def record_of(entry: Entry) -> Automation:
    (record,) = entry.records
    assert isinstance(record, Automation)
    return record


def test_a_degree_is_in_force_recorded_and_remembered(bench: Bench) -> None:
    answer = bench.ask("set_degree", degree="assist", reason="new tool")
    assert answer == {"in_force": "assist", "why": "set by a person"}
    assert bench.ruling.degree == "assist"
    (entry,) = bench.entries
    record = record_of(entry)
    assert (record.action, record.degree, record.by, record.account, record.reason) == (
        "set", "assist", "anna", "root", "new tool"
    )  # fmt: skip
    assert (entry.request_id, record.request) == (ID, ID)
    assert entry.state[STATE_DEGREE] == "assist"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"degree": "assist"},
        {"degree": "assist", "reason": ""},
        {"degree": "assist", "reason": 7},
        {"degree": "most", "reason": "x"},
        {"degree": ["assist"], "reason": "x"},
        {"degree": None, "reason": "x"},
    ],
)
def test_a_degree_without_all_that_belongs_to_it_changes_nothing(
    bench: Bench, arguments: dict[str, object]
) -> None:
    with pytest.raises(Refused):
        bench.ask("set_degree", **arguments)
    with pytest.raises(Refused):
        bench.ask("set_degree", by=None, degree="assist", reason="x")
    assert bench.ruler.now.degree == "full"
    assert bench.entries == []


def test_a_record_that_waits_for_the_disk_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "COMMIT_WITHIN_S", 0.0)
    bench.requests.record = bench.entries.append
    with pytest.raises(Refused, match="waits for the disk"):
        bench.ask("set_degree", degree="assist", reason="x")
    assert len(bench.entries) == 1


def test_a_person_ends_a_latched_limit(tmp_path: Path) -> None:
    kept = {STATE_LATCHED: json.dumps([["drift", "assist", "it moved"]])}
    bench = Bench(tmp_path, kept)
    assert bench.ruler.now.degree == "assist"
    answer = bench.ask("clear_limit", limit="drift", reason="lamp changed")
    assert answer == {"in_force": "full", "why": "the ceiling in the configuration"}
    assert bench.ruling.degree == "full"
    (entry,) = bench.entries
    record = record_of(entry)
    assert (record.action, record.limit, record.by, record.in_force) == (
        "end", "drift", "anna", "full"
    )  # fmt: skip
    assert json.loads(entry.state[STATE_LATCHED]) == []


def test_only_a_latched_limit_can_be_ended_and_by_a_named_person(tmp_path: Path) -> None:
    kept = {STATE_LATCHED: json.dumps([["drift", "assist", "it moved"]])}
    bench = Bench(tmp_path, kept)
    with pytest.raises(Refused, match="latched: drift"):
        bench.ask("clear_limit", limit="no_calibration", reason="x")
    for by, arguments in (
        (None, {"limit": "drift", "reason": "x"}),
        ("anna", {"limit": "drift"}),
        ("anna", {"reason": "x"}),
        ("anna", {"limit": ["drift"], "reason": "x"}),
    ):
        with pytest.raises(Refused):
            bench.ask("clear_limit", by, **arguments)
    assert bench.entries == []
    assert bench.ruler.now.degree == "assist"


def test_the_newest_picture_is_left_for_the_camera_commands(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no picture yet"):
        bench.ask("frame")
    bench.inspector.newest = frame(bench.clock, 7, image=None)
    with pytest.raises(Refused):
        bench.ask("frame")
    bench.inspector.newest = frame(bench.clock, 8, encoded=b"\xff\xd8 bytes")
    answer = bench.ask("frame")
    assert isinstance(answer, dict)
    assert Path(answer["path"]).read_bytes() == b"\xff\xd8 bytes"
    assert answer["number"] == 8
    bench.inspector.newest = frame(bench.clock, 9, PICTURE)
    again = bench.ask("frame")
    assert isinstance(again, dict)
    assert Path(again["path"]).read_bytes()[:2] == b"\xff\xd8"
    whole = bench.ask("frame", whole=True)
    assert isinstance(whole, dict)
    assert Path(whole["path"]).name == "newest.png"
    pixels, _ = decode(Path(whole["path"]).read_bytes())
    assert pixels is not None
    assert np.array_equal(pixels, PICTURE)
