"""A running line and answers within milliseconds of the deadlines: one fate for each part."""

from __future__ import annotations

import heapq
import json
import random
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Clock, boot_id
from edge.config import Config
from edge.records import Origin
from edge.review.answers import Answers
from edge.review.board import Board
from edge.review.case import case_of
from edge.review.chain import Chain
from edge.review.lineside import LineFiles, decided
from edge.review.refusal import Refused
from edge.review.waiting import Outcome
from edge.statusfile import StatusFile
from edge.store.archive import Archive
from tests.appliance.station import config_of, pictures, rows, start, station
from tests.simulators.patience import until

PARTS = 1000
WITHIN_NS = 5_000_000
ANNA = "p-0000000a"


@dataclass
class Page:
    """The queue of a page beside the line, and one person who answers at the last moment."""

    config: Config
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    due: list[tuple[int, int, str]] = field(default_factory=list)
    said: dict[str, tuple[Outcome | None, bool]] = field(default_factory=dict)
    through: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        config, clock, boot = self.config, Clock(), boot_id()
        self.chain = Chain(config.state_dir, boot, clock)
        status = StatusFile(config.status_folder, "line")
        self.files = LineFiles(config.state_dir / "line.db", status.read)
        origin = Origin(config.station.path, boot, config.digest, "1")
        self.answers = Answers(Board(), self.chain, clock, origin, self.files)
        self.line = Archive(config.state_dir / "line.db")

    def follow(self) -> None:
        """What is new of the line."""
        waiting = None
        for row in self.line.rows(self.through, 500, 1 << 24):
            self.through = row.seq
            record = json.loads(row.body)
            if record["schema"] == "disposition/1":
                self.answers.decided(record["inspection"], decided(record))
            elif record["schema"] == "inspection/1" and self.asked < PARTS:
                waiting = waiting or {one.inspection: one for one in self.line.open_escalations()}
                self._ask(record, waiting[record["id"]].deadline_ns)

    def _ask(self, record: dict[str, Any], due_ns: int) -> None:
        self.asked += 1
        self.answers.add(case_of(record, "escalation", due_ns, 2.0), time.time())
        at_ns = due_ns + self.chance.randint(-WITHIN_NS, WITHIN_NS)
        heapq.heappush(self.due, (at_ns, due_ns, record["id"]))

    def step(self) -> None:
        """Follow the line until it is time for the next answer, then give it."""
        now_ns = time.monotonic_ns()
        if not self.due or self.due[0][0] > now_ns + 10_000_000:
            self.follow()
            threading.Event().wait(0.001)
            return
        at_ns, due_ns, name = heapq.heappop(self.due)
        threading.Event().wait(max(0.0, (at_ns - now_ns) / 1e9))
        try:
            claim = self.answers.claim(ANNA, name)
            assert claim is not None
            picture = claim.case.picture
            outcome = self.answers.verdict(ANNA, claim.token, name, picture, "reject")
        except Refused as refused:
            if refused.code != "too_late":
                raise
            self.said[name] = None, False
            return
        self.said[name] = outcome, time.monotonic_ns() < due_ns

    def close(self) -> None:
        self.line.close()
        self.files.close()
        self.chain.close()


@pytest.mark.slow
def test_a_thousand_answers_at_the_deadlines_of_a_running_line(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures", 3)
    path = station(
        tmp_path,
        {"source": "folder", "path": str(folder), "loop": True},
        trigger={"source": "interval", "every_ms": 25},
        decision={"automation": "human_only"},
        escalation={"deadline_s": 2, "fallback": "hold"},
        storage={"images": "none"},
    )
    page = Page(config_of(path))
    with start(path, "run", stdout=subprocess.DEVNULL) as line:
        until(lambda: page.asked == PARTS and not page.due, page.step)
        until(lambda: all(state(page, name) == "decided" for name in page.said), page.step)
        line.terminate()
        assert line.wait(timeout=60) == 0
    page.follow()
    by = check(path, page)
    print(dict(by), "in time", sum(in_time for _, in_time in page.said.values()))
    assert by["person"] > 0
    assert by["fallback"] > 0
    page.close()


def state(page: Page, name: str) -> object:
    return page.answers.state(name)["state"]


def check(path: Path, page: Page) -> Counter[str]:
    """Line, record and page say the same of each part."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(path):
        record = json.loads(row.body)
        if record["schema"] == "disposition/1":
            found.setdefault(record["inspection"], []).append(record)
    by = Counter[str]()
    for name, (outcome, in_time) in page.said.items():
        (fate,) = found[name]
        by[fate["by"]] += 1
        if in_time:
            assert outcome is not None
            assert fate["verdict"] == outcome.id, "on the disk before the deadline"
        if outcome is None:
            assert fate["by"] == "fallback"
        if fate["by"] == "person":
            assert outcome is not None
            assert (fate["verdict"], fate["disposition"]) == (outcome.id, "reject")
        else:
            assert (fate["verdict"], fate["disposition"]) == (None, "hold")
        told = page.answers.state(name)["fate"]
        assert told == {key: fate[key] for key in ("disposition", "by", "at")}
    assert len(page.said) == PARTS
    return by
