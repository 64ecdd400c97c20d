"""queue.db: the chain of persons' answers. One writer at a time, any number of readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge.log import log
from edge.records import Fate, Moment
from edge.recovery.enduring import EnduringJournal
from edge.review.correction import SCHEMA as CORRECTION
from edge.review.correction import Correction
from edge.review.verdict import SCHEMA, Verdict
from edge.store.archive import Archive
from edge.store.lock import Lock
from edge.store.rows import Row

FILE = "queue.db"
STREAM = "queue"
PAGE = 500
_LATEST = "verdict."


class Kept(Protocol):
    """What remembers a state: the open queue or a reader of it."""

    def state(self, key: str) -> str | None:
        """What was last kept under this key."""
        ...


def give(state_dir: Path, made: Verdict | Correction) -> None:
    """Record an answer or a correction; on return it is durable.

    A damaged queue is set aside, and the answer is the first of a new epoch. Raises Held while
    another process writes to the queue, StoreError or sqlite3.Error (nothing is recorded then).
    """
    with Lock(state_dir / "queue.lock"):
        path, clock = state_dir / FILE, _Given(made.given)
        boot_id = made.origin.boot_id
        journal = EnduringJournal.begin(path, boot_id, clock, stream=STREAM, remember=False)
        try:
            journal.append([made], state=state_of(made.content()))
        finally:
            journal.close()


def state_of(content: Mapping[str, Any]) -> dict[str, str]:
    """What the queue keeps of an answer or a correction: the last word about the inspection.

    `verdict` is null after an answer was taken back; `correction` then names the record.
    """
    corrected = content["schema"] == CORRECTION
    kept = {
        "id": content["verdict"] if corrected else content["id"],
        "verdict": content["to"] if corrected else content["verdict"],
        "by": content["by"],
        "at": content["at"],
    }
    if corrected:
        kept |= {"correction": content["id"]}
    if content.get("hold"):
        kept |= {"hold": True}
    return {_LATEST + content["inspection"]: json.dumps(kept)}


@dataclass(frozen=True, slots=True)
class _Given:
    """The clocks, stopped when the answer was given."""

    moment: Moment

    def monotonic_ns(self) -> int:
        return self.moment.monotonic_ns

    def wall(self) -> float:
        return self.moment.wall


def latest(queue: Kept, inspection: str) -> dict[str, Any] | None:
    """`id`, `verdict`, `by` and `at` of the last answer about this inspection; None without one.

    `verdict` is None where the answer was taken back.
    """
    kept = queue.state(_LATEST + inspection)
    return None if kept is None else dict(json.loads(kept))


def after(queue: Archive, seq: int, most: int = PAGE) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The records behind `seq`, as (seq, body), up to `most`; those that are no verdicts too.

    One whose body is damaged is empty: it costs itself, and nothing that comes after it.
    """
    for row in queue.rows(seq, most, 1 << 22):
        yield row.seq, _content(row)


def _content(row: Row) -> Mapping[str, Any]:
    try:
        found = json.loads(row.body)
    except (ValueError, RecursionError) as error:
        log.error("queue.nonsense", seq=row.seq, error=error)
        return {}
    return found if isinstance(found, dict) else {}


def is_verdict(record: Mapping[str, Any]) -> bool:
    """Whether this record of the queue is a person's answer."""
    return record.get("schema") == SCHEMA


def is_correction(record: Mapping[str, Any]) -> bool:
    """Whether a person takes an answer back or corrects a label."""
    return record.get("schema") == CORRECTION


def fate_of(verdict: Mapping[str, Any]) -> Fate | None:
    """What an answer does to a part that waits for it; None where it moves nothing."""
    if verdict.get("hold") is True:
        return "hold"
    said = verdict["verdict"]
    if said == "accept":
        return "accept"
    return "reject" if said == "reject" else None
