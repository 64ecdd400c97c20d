"""A state directory with a line that records and retention that tends it, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from edge.clock import Clock
from edge.retention.ballast import Ballast
from edge.retention.elsewhere import Elsewhere
from edge.retention.forecast import DAY_S
from edge.retention.stock import Stock
from edge.review.questions import OPEN_CHECKS
from edge.store import usage
from edge.store.archive import Archive
from edge.store.images import ImageStore
from edge.store.journal import Journal
from edge.store.verify import Finding, verify
from edge.workers.errands import Errands
from edge.workers.storing import IDLE_NS, Limits, Parts, Storing
from sync.position import Held, PositionFile, Positions
from sync.window import Mark
from tests.edge.store.builders import NOON, due, inspection

S = 10**9
HOUR = 3600 * S
KB = 1000
TEN_YEARS = 10 * 365 * 86_400.0
MUCH = usage.Disk(10**12, 10**12)


class FakeClock(Clock):
    """Both clocks in the hands of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns, self.at = 5 * S, NOON

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall(self) -> float:
        return self.at


class Station:
    """A state directory with a line that records, and retention that tends it."""

    def __init__(self, folder: Path, **limits: object) -> None:
        self.folder, self.clock, self.refusal = folder, FakeClock(), None
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.images, self.errands = ImageStore(folder), Errands()
        self.limits = replace(Limits(10**12, 30 * DAY_S, 730 * DAY_S, False), **limits)
        self.begin()

    def begin(self, images: str = "none", samples: bool = False) -> None:
        """As the line does at its start."""
        folder = self.folder
        parts = Parts(
            folder,
            Stock(folder / "line.db", OPEN_CHECKS, "watch"),
            Elsewhere(folder, images, samples),
            self.errands,
            self.images,
            Ballast(folder, 256 * 1024),
            self.clock,
            lambda: self.refusal,
        )
        self.storing = Storing(parts, self.limits)

    def parts(self, count: int, decision: str = "accept", size: int = 40 * KB, **more: object):
        """Parts with pictures, recorded."""
        made = []
        for number in range(count):
            part = inspection(number, decision, asked=bool(more.get("asked")))
            image = self.images.keep(part.id, self.clock.at, b"x" * size)
            made.append(replace(part, image=image, **more))
        deadlines = {k: v for one in made if one.asked for k, v in due(one).items()}
        escalated = decision == "escalate"
        self.journal.append(made, deadlines=deadlines if escalated else {})
        return made

    def tend(self, times: int = 1, every_ns: int = IDLE_NS) -> None:
        """Steps of the tend thread, each with one of the record thread."""
        for _ in range(times):
            self.clock.now_ns += every_ns
            assert list(self.storing.step(self.clock.now_ns)) == []
            assert self.storing.failing is None
            self.errands.run(self.journal)

    def settle(self) -> None:
        """Until nothing changes any more."""
        before = None
        for _ in range(200):
            self.tend(3)
            now = (self.there(), self.journal.head, self.anchor())
            if now == before:
                return
            before = now
        pytest.fail("it never came to rest")

    def there(self) -> set[str]:
        """Names of the pictures on the disk."""
        return {path.stem for path in (self.folder / "images").rglob("*") if path.is_file()}

    def anchor(self) -> int:
        """Up to where records are deleted."""
        with Archive(self.journal.path) as archive:
            return archive.anchor.seq

    def verify(self) -> Finding:
        """As `results --verify`."""
        with Archive.open(self.journal.path) as archive:
            return verify(archive, self.folder)

    def acknowledge(self, seq: int, **pictures: object) -> None:
        """As sync writes it."""
        with Archive(self.journal.path) as archive:
            mark = Mark(self.journal.head[0], seq, archive.last_hash(seq) or "")
        held = {"line": Held("line", mark, "store-1")}
        PositionFile(self.folder / "sync.json").write(Positions(held, {}, pictures))

    def figures(self) -> dict:
        return dict(self.storing.figures()["storage"])


def ids(parts: Sequence[object]) -> set[str]:
    return {part.id for part in parts}
