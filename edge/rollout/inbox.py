"""What sync has put into `inbox/` for the line: the newest assignment, and how far its file is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.log import log
from sync.assignment import LARGEST, Assignment, AssignmentError, parse

SCHEMA = "inbox/1"


@dataclass(frozen=True, slots=True)
class Arrived:
    """The assignment in force at sync, and what became of its bundle's file.

    `state` is `assigned`, `downloading`, `verified`, `refused` (then with a code) or `none`.
    """

    assignment: Assignment
    state: str
    code: str | None = None
    why: str | None = None


class Inbox:
    """Reads `inbox/assignment.json` whenever it has changed. Sync alone writes there."""

    def __init__(self, folder: Path, station: str) -> None:
        self._path = folder / "assignment.json"
        self._folder = folder
        self._station = station
        self._version: object = None
        self._found: Arrived | None = None

    def look(self) -> Arrived | None:
        """The newest assignment for this station; None where there is none that can be read."""
        try:
            known = os.stat(self._path)
        except OSError:
            self._version = self._found = None
            return None
        version = known.st_ino, known.st_mtime_ns, known.st_size
        if version != self._version:
            self._version = version
            self._found = self._read()
        return self._found

    def file(self, name: str) -> Path | None:
        """A bundle's file that sync has verified; None where it is not there."""
        path = self._folder / name
        return path if path.name == name and path.is_file() else None

    def _read(self) -> Arrived | None:
        try:
            with self._path.open("rb") as stream:
                content = json.loads(stream.read(2 * LARGEST))
            found = _arrived(content)
        except OSError as error:
            log.warning("inbox.unreadable", file=self._path.name, error=error)
            self._version = None  # the next look may find it well
            return None
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            log.warning("inbox.unreadable", file=self._path.name, error=error)
            return None
        if found is not None and found.assignment.station != self._station:
            log.warning("inbox.other_station", station=found.assignment.station)
            return None
        return found


def _arrived(content: Any) -> Arrived | None:
    if content.get("schema") != SCHEMA:
        raise AssignmentError(f"not a {SCHEMA}")
    if content.get("assignment") is None:
        return None
    # as short as it was signed: a long one must not become too long here
    text = json.dumps(content["assignment"], separators=(",", ":"))
    assignment = parse(text.encode())
    code, why = content.get("code"), content.get("why")
    return Arrived(
        assignment,
        str(content.get("state")),
        code if isinstance(code, str) else None,
        why if isinstance(why, str) else None,
    )
