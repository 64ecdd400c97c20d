"""A line for tests of the page: what it writes, without its process."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.clock import Clock, boot_id
from edge.records import Disposition, ImageRef, Inspection, Origin
from edge.statusfile import StatusFile
from edge.store.escalations import Deadline
from edge.store.images import ImageStore
from edge.store.journal import Journal

DRAWN = {"p": 0.01, "drawn": True}
BLURRED = {"name": "blurred", "measured": 1.0, "limit": 2.0}
MODEL = {"name": "rings", "version": "1.0.0", "bundle": "b" * 64}


def picture(width: int = 64, height: int = 48, grey: int = 90) -> bytes:
    """A JPEG with something in it."""
    image = np.full((height, width, 3), grey, np.uint8)
    cv2.circle(image, (width // 2, height // 2), height // 4, (30, 60, 200), -1)
    done, data = cv2.imencode(".jpg", image)
    assert done
    return data.tobytes()


class LineOfTests:
    """Writes line.db, images/ and line.json as the line does."""

    def __init__(self, state_dir: Path, boot: str | None = None) -> None:
        self.state_dir = state_dir
        self.clock = Clock()
        self.boot = boot or boot_id()
        self.images = ImageStore(state_dir)
        self.path = state_dir / "line.db"
        self.journal = Journal.open(self.path, self.boot, self.clock.monotonic_ns())
        self.status = StatusFile(state_dir / "status", "line")
        self._beats = 0

    @property
    def origin(self) -> Origin:
        return Origin("a/b/c", self.boot, "c" * 64, "1.0")

    def part(self, name: str | None = None, shot: bytes | None = None, **more: Any) -> Inspection:
        """An inspection that a person is asked about."""
        identity = self.clock.new_id()
        image: ImageRef | None = None
        if shot is not None:
            image = self.images.keep(identity, self.clock.wall(), shot)
        made = Inspection(
            id=identity,
            origin=self.origin,
            captured=self.clock.moment(),
            decision="escalate",
            reason="uncertain",
            automation="partial",
            part_id=name,
            model=MODEL,
            score=0.5,
            label="scratch",
            scores={"good": 0.5, "scratch": 0.5},
            would_be="escalate",
            asked=True,
            image=image,
        )
        return replace(made, **more)

    def asks(self, *parts: Inspection, within_s: float = 60.0) -> None:
        """They are recorded, and wait."""
        now_ns = time.monotonic_ns()
        due = {
            one.id: Deadline(now_ns + int(within_s * 1e9) + place, within_s)
            for place, one in enumerate(parts)
        }
        self.journal.append(parts, deadlines=due)

    def sure(self, count: int = 1, **more: Any) -> list[Inspection]:
        """Parts that the model accepts."""
        made = [self.part(decision="accept", asked=False, **more) for _ in range(count)]
        both = [record for one in made for record in (one, self.fate(one, "accept", "model"))]
        self.journal.append(both)
        return made

    def fate(
        self, about: Inspection, fate: Any, by: Any, verdict: str | None = None
    ) -> Disposition:
        """What happens to a part; not recorded yet."""
        moment = self.clock.moment()
        return Disposition(
            self.clock.new_id(), self.origin, moment, about.id, fate, by, about.part_id, verdict
        )

    def decides(self, about: Inspection, fate: str = "hold", by: str = "fallback") -> None:
        """It is recorded."""
        self.journal.append([self.fate(about, fate, by)])

    def draws(self, *parts: Inspection) -> None:
        """These spot checks wait for an answer."""
        kept = json.dumps([one.id for one in parts])
        self.journal.append([], state={"watch.checks": kept})

    def lives(self, **more: Any) -> None:
        """Renew the status file."""
        self._beats += 1
        self.status.write({"state": "ok", "pid": 1, "inspected": self._beats, **more})
