"""Labelled parts of a station: persons' answers, put together with the records of the parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from edge.calibrating.gathered import Heap
from edge.decision.challenge import TAG
from edge.evidence import FOLDER as KEPT
from edge.recovery.history import History
from edge.review.asked import Ask, asked_probability
from edge.review.label import Label, label_of
from edge.review.verdict import Basis
from edge.store.archive import Archive
from sync.picture import nameable

Use = Literal["training", "part", "disputed", "challenge"]
"""`part`: labelled by somebody who had the part in hand, so that the picture may not show it."""
PAGE, PAGE_BYTES = 2000, 1 << 24
UNKNOWN = "unknown"
NEEDED = (
    "asked", "automation", "calibration", "captured_at", "config", "cuts", "decision", "doubts",
    "image", "label", "model", "part_id", "reason", "runtime", "score", "scores", "spot_check",
    "station", "tags", "truth", "view", "would_be",
)  # fmt: skip
"""What a record must have to become a row."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Example:
    """One inspection with what persons say of it.

    `part` names the part: the part id, or the inspection's own where the line gave none. `kind` is
    good or defect, `type` that of a defect; None for disputed ones. `asked_p` is as in
    edge/review/asked.py.
    """

    inspection: str
    record: Mapping[str, Any]
    fate: Mapping[str, Any] | None
    label: Label
    use: Use
    part: str
    kind: str | None
    type: str | None
    asked_p: float | None

    @property
    def picture(self) -> tuple[str, str] | None:
        """Path and SHA-256 of the stored picture."""
        image = self.record["image"]
        return None if image is None else (str(image["path"]), str(image["sha256"]))

    @property
    def said(self) -> str:
        """The label as one word: `good`, `defect/scratch`, `disputed`."""
        if self.kind != "defect":
            return self.kind or self.use
        return f"defect/{self.type or UNKNOWN}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inspections, by the time of the picture (UTC as records write it).

    `challenge`: challenge parts too, by their known truth, answered or not. `part_basis`: labels
    of the part in hand too.
    """

    since: str | None = None
    until: str | None = None
    challenge: bool = False
    part_basis: bool = False

    def covers(self, at: str) -> bool:
        """Whether a picture of this time is wanted."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(slots=True)
class Dataset:
    """What was found, in order of the pictures' times, and what is left out and why."""

    examples: list[Example] = field(default_factory=list)
    heap: Heap = field(default_factory=Heap)


def gather(state_dir: Path, wanted: Wanted, progress: Progress) -> Dataset:
    """Every labelled inspection. Raises sqlite3.Error, StoreError."""
    found = Dataset()
    with History(state_dir / "queue.db") as queue, History(state_dir / "line.db") as line:
        given = _answers(queue)
        if wanted.challenge:
            for name in _challenges(line):
                given.setdefault(name, [])
        reader = _Reader(line, _Configured(state_dir), wanted, found.heap)
        for number, (inspection, records) in enumerate(given.items(), 1):
            example = reader.read(inspection, records)
            if example is not None:
                found.examples.append(example)
            progress(number, len(given))
    found.examples.sort(key=lambda one: (str(one.record["captured_at"]), one.inspection))
    return found


def _answers(queue: History) -> dict[str, list[Mapping[str, Any]]]:
    """The records of persons by inspection, in order of their chains, oldest chain first."""
    given: dict[str, list[Mapping[str, Any]]] = {}
    seen: set[object] = set()
    for record in _records(queue):
        name = record.get("inspection")
        if record.get("schema") in ("verdict/1", "correction/1") and nameable(name):
            if record.get("id") not in seen:
                given.setdefault(cast(str, name), []).append(record)
            seen.add(record.get("id"))
    return given


def _records(queue: History) -> Iterator[Mapping[str, Any]]:
    archives: tuple[Archive, ...] = (*queue.earlier, queue)
    for archive in archives:
        seq = 0
        while rows := archive.rows(seq, PAGE, PAGE_BYTES):
            for row in rows:
                record = _parsed(row.body)
                if record is not None:
                    yield record
            seq = rows[-1].seq


def _challenges(line: History) -> Iterator[str]:
    """The ids of all challenge parts that are stored."""
    mark = f'"{TAG}":'.encode()
    archives: tuple[Archive, ...] = (*line.earlier, line)
    for archive in archives:
        seq = 0
        while rows := archive.inspections(seq, PAGE):
            for row in rows:
                record = _parsed(row.body) if mark in row.body else None
                if record is not None and TAG in record["tags"] and nameable(record["id"]):
                    yield record["id"]
            seq = rows[-1].seq


class LeftOut(Exception):
    """Why an inspection is no example."""


class _Reader:
    """Looks one inspection after the other up in the line's records."""

    def __init__(self, line: History, configured: _Configured, wanted: Wanted, heap: Heap) -> None:
        self._line, self._configured = line, configured
        self._wanted, self._heap = wanted, heap

    def read(self, inspection: str, given: list[Mapping[str, Any]]) -> Example | None:
        """The example; None, and a reason on the heap, where it is none."""
        try:
            record = self._record(inspection)
            if not self._wanted.covers(str(record["captured_at"])):
                return None
            return self._example(inspection, record, given)
        except LeftOut as reason:
            self._heap.add(str(reason), inspection)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._heap.add("a damaged record", inspection)
        return None

    def _record(self, inspection: str) -> Mapping[str, Any]:
        for row in self._line.find(inspection):
            record = _parsed(row.body)
            if record is not None and record.get("id") == inspection:
                return record
        raise LeftOut("its inspection is no longer stored")

    def _example(
        self, inspection: str, record: Mapping[str, Any], given: list[Mapping[str, Any]]
    ) -> Example:
        fate = self._line.disposition(inspection)
        said = None if fate is None else _parsed(fate.body)
        return assemble(record, given, said, self._configured.ask(record["config"]), self._wanted)


def assemble(
    record: Mapping[str, Any],
    given: Sequence[Mapping[str, Any]],
    fate: Mapping[str, Any] | None,
    ask: Ask | None,
    wanted: Wanted,
) -> Example:
    """One inspection's record and what persons said of it, as an example.

    Raises LeftOut where it is none; KeyError, TypeError, ValueError, AttributeError for damaged
    records.
    """
    if lacking := [name for name in NEEDED if name not in record]:
        raise KeyError(*lacking)
    if not wanted.covers(str(record["captured_at"])):
        raise LeftOut("taken at another time")
    basis: Basis = "part" if record["doubts"] or record["image"] is None else "picture"
    label = label_of(given, basis)
    use, kind, type_ = _use(record, label, wanted)
    return Example(
        inspection=record["id"],
        record=record,
        fate=fate,
        label=label,
        use=use,
        part=part_of(record),
        kind=kind,
        type=type_,
        asked_p=asked_probability(record, ask),
    )


def _use(
    record: Mapping[str, Any], label: Label, wanted: Wanted
) -> tuple[Use, str | None, str | None]:
    """What it is good for, its kind, and its type. Raises LeftOut."""
    if TAG in (record["tags"] or {}):
        if not wanted.challenge:
            raise LeftOut("a challenge part (--with-challenge)")
        return "challenge", *_truth(record["truth"])
    if label.state == "disputed":
        return "disputed", None, None
    if label.state != "labelled" or label.best is None:
        raise LeftOut(
            "the person was unsure" if label.state == "unsure" else "the answer was taken back"
        )
    if label.best.basis == "part":
        if not wanted.part_basis:
            raise LeftOut("said of the part, not of its picture (--with-part-basis)")
        return "part", label.kind, label.type
    return "training", label.kind, label.type


class _Configured:
    """What the line was configured to ask, by the digest of the configuration."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / KEPT / "configurations"
        self._known: dict[str, Ask | None] = {}

    def ask(self, digest: object) -> Ask | None:
        """`decision.ask`; None where the configuration was not kept."""
        name = str(digest)
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Ask | None:
        import yaml

        if not name.isalnum():
            return None
        try:
            text = (self._folder / f"{name}.yaml").read_text(encoding="utf-8")
            ask = yaml.safe_load(text)["decision"]["ask"]
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            return None
        return ask if ask in ("all", "sample") else None


def part_of(record: Mapping[str, Any]) -> str:
    """The name by which the splits know the part."""
    part_id = record["part_id"]
    name = f"part {part_id}" if part_id else f"inspection {record['id']}"
    return name.encode("utf-8", "backslashreplace").decode()


def _truth(truth: object) -> tuple[str | None, str | None]:
    kind, _, type_ = str(truth).partition("/")
    return (kind, type_ or None) if kind in ("good", "defect") else (None, None)


def _parsed(body: object) -> Mapping[str, Any] | None:
    try:
        content = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
