"""A station whose parts persons have answered about, for tests of what leaves it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.config import Config
from edge.records import Inspection, Moment
from edge.review.correction import Correction
from edge.review.dataset import Wanted
from edge.review.exporting import Report, Wishes, export
from edge.review.verdict import Verdict
from edge.store.images import ImageStore
from edge.store.journal import Journal
from tests.edge.store.builders import NOON, ORIGIN, disposition, due, inspection

STATION = ORIGIN.station
ANSWERED = Moment(NOON + 5000, 0)


class Labelled:
    """Writes line.db, queue.db and pictures of a stopped station."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"
        self.images = ImageStore(self.state)
        self.line = Journal.open(self.state / "line.db", "boot-1", 0)
        self.queue = Journal.open(self.state / "queue.db", "boot-1", 0, stream="queue")
        self.number = 0

    def close(self) -> None:
        self.line.close()
        self.queue.close()

    @property
    def config(self) -> Config:
        site, line, name = STATION.split("/")
        return Config.model_validate(
            {
                "station": {"site": site, "line": line, "name": name},
                "state_dir": self.state,
                "camera": {"source": "synthetic"},
                "model": {"bundle": "@rings"},
            }
        )

    def part(self, part: str | None = None, data: bytes | None = None, **more: Any) -> Inspection:
        """A part that a person is asked about, with its picture (b"" for none)."""
        self.number += 1
        made = inspection(self.number, "escalate", asked=True, part=part)
        made = replace(made, view="v" * 64, **more)
        data = f"picture {self.number}".encode() if data is None else data
        if data:
            kept = self.images.keep(made.id, made.captured.wall, data)
            made = replace(made, image=kept)
        self.line.append([made], deadlines=due(made))
        self.line.append([disposition(made, "person", "reject")])
        return made

    def says(self, about: Inspection, answer: Any, by: str = "p-1", **more: Any) -> str:
        """A person answers; the verdict's id."""
        name, part = f"verdict-{self._next()}", about.part_id
        self.queue.append(
            [Verdict(name, ORIGIN, ANSWERED, about.id, answer, by, part_id=part, **more)]
        )
        return name

    def corrects(self, about: Inspection, of: str | None, to: Any, **more: Any) -> None:
        """A lead corrects what was said, or with None takes it back."""
        name = f"correction-{self._next()}"
        self.queue.append([Correction(name, ORIGIN, ANSWERED, about.id, of, to, "p-9", **more)])

    def _next(self) -> int:
        self.number += 1
        return self.number

    def good(self, part: str | None = None, **more: Any) -> Inspection:
        made = self.part(part, **more)
        self.says(made, "accept")
        return made

    def defect(self, label: str | None, part: str | None = None, **more: Any) -> Inspection:
        made = self.part(part, **more)
        self.says(made, "reject", label=label)
        return made

    def export(self, out: str = "out", wanted: Wanted | None = None, **more: Any) -> Report:
        wishes = Wishes(self.folder / out, wanted or Wanted(), **more)
        return export(self.config, wishes, lambda done, of: None, NOON + 9000)


def rows(folder: Path, name: str = "labels.csv") -> dict[str, dict[str, str]]:
    """The rows of a table by inspection; the last one where there are several."""
    with (folder / name).open(newline="") as file:
        return {row["inspection"]: row for row in csv.DictReader(file)}


def pictures(folder: Path) -> dict[str, str]:
    """Place below OUT by inspection, of every picture there is."""
    found = [path for path in folder.rglob("*.jpg")]
    return {path.stem: path.relative_to(folder).as_posix() for path in found}


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "export.json").read_text()))


def left_out(report: Report) -> dict[str, int]:
    return {left["why"]: left["count"] for left in report.manifest["left_out"]}
