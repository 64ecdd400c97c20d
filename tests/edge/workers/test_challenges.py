"""Starting, using up and stopping a challenge."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from edge.decision.challenge import MOST, Challenge, ChallengeRecord
from edge.requests import Refused, Request
from edge.workers import challenges as module
from edge.workers.challenges import ChallengeRequests, Challenges
from edge.workers.entry import Entry
from tests.edge.workers.parts import ORIGIN, FakeClock


class Bench:
    def __init__(self) -> None:
        self.challenges, self.useless = Challenges(), ""
        self.entries: list[Entry] = []
        self.requests = ChallengeRequests(
            self.challenges, FakeClock(), ORIGIN, lambda: self.useless or None
        )
        self.requests.record = self._record

    def _record(self, entry: Entry) -> None:
        self.entries.append(entry)
        assert entry.done is not None
        entry.done()

    def ask(self, kind: str, by: str | None = "anna", **arguments: Any) -> dict[str, object]:
        request = Request("r-1", kind, arguments, by, "root")
        return self.requests.handlers[kind](request)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_so_many_parts_are_taken_and_no_more(bench: Bench) -> None:
    assert bench.challenges.take() is None
    answer = bench.ask("start_challenge", truth="defect", count=2)
    assert (answer["truth"], answer["count"]) == ("defect", 2)
    first, second = bench.challenges.take(), bench.challenges.take()
    assert first is not None
    assert second is not None
    assert (first.left, second.left, first.truth) == (1, 0, "defect")
    assert bench.challenges.take() is None
    assert bench.challenges.running is None


def test_the_start_is_recorded_and_remembered(bench: Bench) -> None:
    answer = bench.ask("start_challenge", truth="good", count=5)
    (entry,) = bench.entries
    (record,) = entry.records
    assert isinstance(record, ChallengeRecord)
    assert (record.action, record.truth, record.count, record.by) == ("start", "good", 5, "anna")
    assert record.id == record.challenge == answer["challenge"]
    assert entry.request_id == "r-1"
    assert "challenge.started" in entry.state


def test_it_can_be_stopped_before_its_end(bench: Bench) -> None:
    bench.ask("start_challenge", truth="good", count=5)
    bench.challenges.take()
    assert bench.ask("stop_challenge")["left"] == 4
    assert bench.challenges.take() is None
    record = bench.entries[-1].records[0]
    assert isinstance(record, ChallengeRecord)
    assert (record.action, record.count, record.id != record.challenge) == ("stop", 4, True)
    assert "challenge.stopped" in bench.entries[-1].state


@pytest.mark.parametrize(
    "arguments",
    [
        {"truth": "unknown", "count": 1},
        {"count": 1},
        {"truth": "good", "count": 0},
        {"truth": "good", "count": MOST + 1},
        {"truth": "good", "count": True},
        {"truth": "good", "count": "5"},
        {"truth": "good", "count": 5, "by": None},
    ],
)
def test_nonsense_is_refused(bench: Bench, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        bench.ask("start_challenge", **arguments)
    assert bench.challenges.running is None
    assert bench.entries == []


def test_one_at_a_time(bench: Bench) -> None:
    bench.ask("start_challenge", truth="good", count=5)
    with pytest.raises(Refused, match="running already"):
        bench.ask("start_challenge", truth="defect", count=5)
    bench.ask("stop_challenge")
    with pytest.raises(Refused, match="no challenge"):
        bench.ask("stop_challenge")
    with pytest.raises(Refused, match="person"):
        bench.ask("stop_challenge", by=None)


def test_where_the_model_does_not_run_it_is_refused(bench: Bench) -> None:
    bench.useless = "the model does not run"
    with pytest.raises(Refused, match="does not run"):
        bench.ask("start_challenge", truth="good", count=5)


def test_it_is_in_force_also_while_the_disk_refuses(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMIT_WITHIN_S", 0)
    bench.requests.record = bench.entries.append
    with pytest.raises(Refused, match="waits for the disk"):
        bench.ask("start_challenge", truth="defect", count=1)
    assert bench.challenges.running is not None


def test_two_threads_take_each_part_once() -> None:
    challenges = Challenges(Challenge("c", "good", 2000, 2000))
    taken: list[int] = []

    def take() -> None:
        while (one := challenges.take()) is not None:
            taken.append(one.left)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(2000))
