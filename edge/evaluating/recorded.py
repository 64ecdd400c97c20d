"""Recorded inspections whose truth is known: from a folder, a challenge, or a person's verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from edge.calibrating.gathered import Heap, Unusable
from edge.evaluating.cases import UNKNOWN, Cases, Gathering, family, quarters
from edge.evaluating.pictures import brightness, hour
from edge.evaluating.slices import TYPE
from edge.review.label import label_of
from edge.review.spoken import spoken
from edge.store.archive import Archive

PAGE = 2000
TAGS = (TYPE, "view", "family", "hour")
BY_VERDICT = (
    "{} of the truths are persons' verdicts. Persons are asked about the parts that the model was "
    "unsure of, so these figures are about parts with a known truth and not about production."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inspections: of this bundle (None: of the newest one there is), since then (UTC).

    `measure` reads every stored picture again to slice by brightness.
    """

    bundle: str | None = None
    since: str | None = None
    measure: bool = False


def recorded_cases(state_dir: Path, wanted: Wanted, zone: tzinfo) -> Cases:
    """Every inspection with a score and a known truth. A known truth comes before a verdict.

    Raises Unusable where there is none, sqlite3.Error.
    """
    said = _labels(state_dir / "queue.db")
    found, heap, by_verdict, against = Gathering(), Heap(), 0, 0
    with Archive(state_dir / "line.db") as archive:
        bundle = wanted.bundle or _newest(archive)
        for record in _inspections(archive, wanted.since):
            truth, person = record["truth"], said.get(record["id"])
            known, truth = truth is not None, truth or person
            if why := _useless(record, truth, bundle):
                heap.add(why, record["id"])
                continue
            assert truth is not None
            picture = None if record["image"] is None else state_dir / record["image"]["path"]
            tags = _tags(record, truth, zone)
            defect = truth != "good"
            by_verdict += not known
            against += known and person is not None and (person == "good") == defect
            found.add(record["score"], defect, tags, bool(record["doubts"]), picture)
    if not found.scores:
        left = "; ".join(f"{out.count} {out.why}" for out in heap.left_out())
        raise Unusable(f"no inspection has a score and a known truth ({left or 'none recorded'})")
    if wanted.measure:
        _add_brightness(found)
    notes = [BY_VERDICT.format(f"{by_verdict:,}")] if by_verdict else []
    if against:
        notes.append(f"About {against:,} parts of known truth a person said the opposite.")
    return found.cases(heap.left_out(), tuple(notes))


def _useless(record: Mapping[str, Any], truth: str | None, bundle: str | None) -> str | None:
    if truth is None:
        return "nobody knows whether the part is good"
    if record["score"] is None:
        return f"no score: {record['fault'] if 'fault' in record else record['reason']}"
    if record["model"]["bundle"] != bundle:
        return f"scored by another model ({record['model']['name']} {record['model']['version']})"
    return None


def _inspections(archive: Archive, since: str | None) -> Iterator[dict[str, Any]]:
    seq = 0
    while page := archive.inspections(seq, PAGE, since):
        for row in page:
            yield json.loads(row.body)
        seq = page[-1].seq


def _newest(archive: Archive) -> str | None:
    """The bundle of the newest inspection with a score."""
    for row in reversed(archive.newest(PAGE)):
        model = json.loads(row.body)["model"]
        if model is not None:
            return str(model["bundle"])
    return None


def _labels(path: Path) -> dict[str, str]:
    """The truth of each part as persons see it; none of those who were unsure or disagree."""
    found = {}
    for inspection, given in spoken(path).items():
        label = label_of(given, "picture")
        if label.kind == "good":
            found[inspection] = "good"
        elif label.kind == "defect":
            found[inspection] = f"defect/{label.type}" if label.type else "defect"
    return found


def _tags(record: Mapping[str, Any], truth: str, zone: tzinfo) -> dict[str, str]:
    tags = {str(name): str(value) for name, value in record["tags"].items()}
    tags.pop("file", None)
    if truth != "good":
        tags[TYPE] = truth.partition("/")[2] or UNKNOWN
    if record["view"]:
        tags["view"] = record["view"][:12]
    if record["part_id"]:
        tags["family"] = family(record["part_id"])
    if (taken := hour(record["captured_at"], zone)) is not None:
        tags["hour"] = taken
    return tags


def _add_brightness(found: Gathering) -> None:
    levels = [None if path is None else brightness(path) for path in found.pictures]
    for tags, name in zip(found.tags, quarters(levels), strict=True):
        tags["brightness"] = name
