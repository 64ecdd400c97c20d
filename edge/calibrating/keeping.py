"""Calibrations on disk with their evidence, and what two of them say about the same pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.calibrating.table import rows_of
from edge.calibrations import Calibration, write
from edge.decision.evidence import Samples
from edge.decision.policy import decide
from edge.files import write_atomically
from edge.store.durable import make_directory

HEADER = ("sha256", "score", "label", "type", "part")


def keep(folder: Path, content: Mapping[str, object], samples: Samples) -> Path:
    """Write `<id>.scores.csv`, then `<id>.json`: where the second is, the first is too.

    Raises OSError.
    """
    make_directory(folder)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows_of(samples))
    write_atomically(scores_file(folder, str(content["id"])), text.getvalue().encode())
    return write(folder, content)


def scores_file(folder: Path, calibration_id: str) -> Path:
    """Where the scores lie that a calibration was made from."""
    return folder / f"{calibration_id}.scores.csv"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two calibrations side by side.

    `common` pictures are in the evidence of both; `permissive` and `strict` count those that the
    second one accepts and the first does not, and the other way round; `changed` those with any
    other decision.
    """

    first: Calibration
    second: Calibration
    common: int
    permissive: int
    strict: int
    changed: int

    def as_json(self) -> dict[str, object]:
        """Both, and their disagreement."""
        return {
            "first": dict(_told(self.first)),
            "second": dict(_told(self.second)),
            "common_pictures": self.common,
            "more_permissive": self.permissive,
            "stricter": self.strict,
            "changed": self.changed,
        }


TOLD = (
    "id",
    "made_at",
    "bundle",
    "accept_below",
    "reject_above",
    "certified",
    "confidence",
    "n_good",
    "n_defect",
    "escape",
    "overkill",
)


def _told(calibration: Calibration) -> Mapping[str, object]:
    return {name: calibration.content.get(name) for name in TOLD}


def compare(folders: list[Path], first: Calibration, second: Calibration) -> Comparison:
    """What both would decide about the pictures that both were made from.

    Each picture is decided by each calibration's own score, since these may come from two bundles.
    Raises OSError or ValueError where evidence is damaged; without evidence nothing is common.
    """
    ours, theirs = _scores(folders, first), _scores(folders, second)
    permissive = strict = changed = 0
    common = ours.keys() & theirs.keys()
    for picture in common:
        before = decide(ours[picture], first.cuts, "partial").decision
        after = decide(theirs[picture], second.cuts, "partial").decision
        changed += before != after
        permissive += after == "accept" != before
        strict += before == "accept" != after
    return Comparison(first, second, len(common), permissive, strict, changed)


def _scores(folders: list[Path], calibration: Calibration) -> dict[str, float]:
    for folder in folders:
        path = scores_file(folder, calibration.id)
        if path.exists():
            with path.open(newline="") as stream:
                rows = csv.DictReader(stream)
                return {row["sha256"]: float(row["score"]) for row in rows if row["sha256"]}
    return {}


def listed(folders: list[Path]) -> list[dict[str, object]]:
    """Every calibration in short, in the order of their making."""
    found = {}
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            try:
                content = json.loads(path.read_bytes())
                found[str(content["id"])] = {name: content.get(name) for name in (*TOLD, "by")}
            except (OSError, ValueError, TypeError, KeyError, RecursionError):
                found[path.stem] = {"id": path.stem, "unreadable": True}
    return [found[name] for name in sorted(found)]
