"""From a record to a row of the table, and back to what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from edge.decision.challenge import TAG

INSPECTION = "inspection/1"
DISPOSITION = "disposition/1"
CALIBRATION = "calibration/1"


class Columns(NamedTuple):
    """The look-up columns: copies of what the body says."""

    schema: str
    subject: str
    part_id: str | None
    at: str | None
    decision: str | None


class Row(NamedTuple):
    """One stored record: its place, its bytes, and the hash in lower-case hex."""

    seq: int
    body: bytes
    hash: str

    @classmethod
    def of(cls, found: tuple[Any, ...]) -> Row:
        """From the columns `seq, body, hash`."""
        return cls(found[0], found[1], hexed(found[2]))


class Stored(NamedTuple):
    """A whole row, for those who check that its columns still say what its body says."""

    seq: int
    columns: Columns
    body: bytes
    hash: str

    @classmethod
    def of(cls, found: tuple[Any, ...]) -> Stored:
        """From the columns `seq, schema, subject, part_id, at, decision, body, hash`."""
        return cls(found[0], Columns(*found[1:6]), found[6], hexed(found[7]))


class Kept(NamedTuple):
    """A record that outlived the prefix it was in, and the hash of the record before it."""

    stored: Stored
    previous: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the stored chain begins: the records up to `seq` were deleted, `count` of them; the
    others up to there are kept apart. 0 when none were."""

    seq: int
    hash: str
    count: int = 0
    at: str | None = None
    acknowledged_by: str | None = None


def columns(content: Mapping[str, object]) -> Columns:
    """The look-up columns of a record. Raises ValueError or KeyError when it lacks one."""
    schema = content.get("schema")
    own = content.get("id")
    if not isinstance(schema, str) or not isinstance(own, str):
        raise ValueError("a record needs a schema and an id")
    if schema == INSPECTION:
        part, at, decision = content["part_id"], content["captured_at"], content["decision"]
        return Columns(schema, own, _text(part), _text(at), _text(decision))
    if schema == DISPOSITION:
        return Columns(schema, str(content["inspection"]), None, None, None)
    if schema == CALIBRATION:  # the same one may be applied again
        return Columns(schema, str(content["application"]), None, None, None)
    return Columns(schema, own, None, None, None)


def counted(content: Mapping[str, object]) -> tuple[str, ...]:
    """The counters that a record raises: its schema, and what it says about the part.

    Challenge parts are counted apart: they belong in no figure of the production.
    """
    schema = str(content["schema"])
    tags = content.get("tags")
    if schema == INSPECTION and isinstance(tags, Mapping) and TAG in tags:
        return schema, f"challenge:{content['decision']}"
    if schema == INSPECTION:
        return schema, f"decision:{content['decision']}"
    if schema == DISPOSITION:
        return schema, f"disposition:{content['disposition']}:{content['by']}"
    return (schema,)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def hexed(value: object) -> str:
    """A hash in lower-case hex. A damaged file may hold anything; no hash is then right."""
    return value.hex() if isinstance(value, bytes) else ""
